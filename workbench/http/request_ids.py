"""Request ids (X-Request-ID): one per request, in every log line of it and in its response."""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage.records import new_id
from storage.telemetry.log_context import log_fields

HEADER = "x-request-id"
ACCEPTED_ID = re.compile(r"[0-9a-fA-F-]{16,36}")
"""What is taken over from a proxy in front: the shape of an id, so that no words get into the log."""


def request_id_of(request: Request) -> str:
    """The request's id; a fresh one if the application gives none."""
    found: str | None = getattr(request.state, "request_id", None)
    return found or new_id()


class RequestIdMiddleware:
    """ASGI middleware; it comes before all others that log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if ACCEPTED_ID.fullmatch(given) else new_id()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        # For what is logged after this middleware: the answer to an unforeseen error.
        scope.setdefault("state", {})["request_id"] = request_id
        with log_fields(request=request_id):
            await self._app(scope, receive, send_with_id)
