"""No request may fill the memory: a bound on what a route reads."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

MAX_BODY_BYTES = 1_000_000


class BoundedRoute(APIRoute):
    """A route that answers 413 as soon as a body is longer than `MAX_BODY_BYTES`.

    FastAPI's own `max_body_size` answers in plain text.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler over a counted body."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            return await handle(_counted(request))

        return bounded


def _counted(request: Request) -> Request:
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        if read > MAX_BODY_BYTES:
            raise HTTPException(413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
        return message

    return Request(request.scope, receive)
