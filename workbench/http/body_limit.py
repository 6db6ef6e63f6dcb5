"""Request body limit: a limit on what any route of the site reads, so that no request fills the memory."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.http.problem_document import problem_response

MEGABYTE = 1_000_000
UPLOAD_PATHS = ("/api/v1/documents", "/workbench/documents")
"""Where files come in; everything else is a short text or a few numbers."""


class BodyTooLargeError(HTTPException):
    """More came than any route of this path reads."""


class BodyLimitMiddleware:
    """Middleware that answers 413 as soon as a body is longer than the limit of its path."""

    def __init__(self, app: ASGIApp, largest_file: int) -> None:
        self._app = app
        self._largest_file = largest_file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the body as it is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A file comes with the multipart form's own lines around it.
        limit = MEGABYTE + (self._largest_file if scope["path"].startswith(UPLOAD_PATHS) else 0)
        read = 0

        async def receive_limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise BodyTooLargeError(413, f"The body is larger than {limit} bytes.")
            return message

        try:
            await self._app(scope, receive_limited, send)
        except BodyTooLargeError as error:
            # Read by another middleware: routes answer it themselves.
            refusal = problem_response("too-large", 413, "Content Too Large", error.detail)
            await refusal(scope, receive, send)
