"""Text validation at the edge: what cannot be written as UTF-8 is refused before any route sees it.

JSON can name half of a surrogate pair. No database and no answer can hold one, so each field that took it failed in its
own way.
"""

import json
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.http.problem_document import problem_response

SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
USABLE_CHARSETS = {"utf-8", "utf8", "us-ascii", "iso-8859-1"}
"""Others, such as `unicode_escape`, would decode to anything."""
STREAMED_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")


class UnusableTextMiddleware:
    """ASGI middleware: 415 for charsets that no route reads, 422 for JSON that holds half a character."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at the body of a request that has one."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self._app(scope, receive, send)
        content_type = Headers(scope=scope).get("content-type", "")
        charset = CHARSET.search(content_type)
        if charset and charset[1].lower() not in USABLE_CHARSETS:
            refusal = problem_response("unsupported-charset", 415, "Unsupported Media Type", "Send the text as UTF-8.")
            return await refusal(scope, receive, send)
        if content_type.lower().startswith(STREAMED_TYPES):
            return await self._app(scope, receive, send)
        messages = await _whole_body(receive)
        body = b"".join(message.get("body", b"") for message in messages)
        if _has_half_character(body):
            refusal = problem_response(
                "invalid", 422, "The input cannot be used as it is.", "The body holds half of a surrogate pair."
            )
            return await refusal(scope, receive, send)
        return await self._app(scope, _replayed(messages, receive), send)


async def _whole_body(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    pending = iter(messages)

    async def receive_again() -> Message:
        message = next(pending, None)
        return await receive() if message is None else message

    return receive_again


def _has_half_character(body: bytes) -> bool:
    if not SURROGATE_ESCAPE.search(body):
        return False
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        # No JSON at all: its route says so.
        return False
    return False
