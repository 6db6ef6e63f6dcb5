"""Authentication middleware around Gradio: only members, and only the endpoints that the pages use."""

import re

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage.errors import NotLoggedInError, PasswordChangeRequiredError
from storage.records import Member
from workbench.auth.gradio_requests import PageSessions, UnusableBodyError, read_body, replayed, session_hash_of
from workbench.auth.redirects import redirect
from workbench.auth.sessions import Sessions, is_same_site

PUBLIC_PATHS = re.compile(r"/(assets|static|svelte)/.+|/(gradio_api/)?theme\.css|/favicon\.ico|/robots\.txt")
"""Gradio's own published files: nothing of ours is in them."""
MEMBER_PATHS = re.compile(
    r"/|/config|/gradio_api/(queue/(join|data)|component_server/?|heartbeat/[\w-]+|startup-events|login_check)"
)
"""No upload, no file and no proxy: Gradio would open what a browser names."""
GRADIO_HEADERS = {
    # Gradio compiles its templates in the browser, hence 'unsafe-eval'; nothing may be loaded from or sent elsewhere.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class _RefusedError(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class AuthMiddleware:
    """ASGI middleware around the mounted Gradio application."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions
        self._pages = PageSessions()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http" or not _is_open(scope["path"]):
            return await _refusal(404, "There is nothing here.")(scope, receive, send)
        if not PUBLIC_PATHS.fullmatch(scope["path"]):
            try:
                receive = await self._admit(scope, receive)
            except _RefusedError as error:
                return await error.response(scope, receive, send)
        return await self._app(scope, receive, _with_headers(send, private=scope["path"] == "/"))

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        """Check who asks, and what; gives what the application reads the request from."""
        path, request = scope["path"], HTTPConnection(scope)
        if scope["method"] not in ("GET", "HEAD") and not is_same_site(request):
            raise _RefusedError(_refusal(403, "This request came from another site."))
        try:
            member = await self._member(request)
        except PasswordChangeRequiredError as error:
            changes = redirect(request, "/password") if path == "/" else _refusal(403, error.detail)
            raise _RefusedError(changes) from error
        if member is None:
            raise _RefusedError(redirect(request, "/login") if path == "/" else _refusal(401, "Log in first."))
        try:
            body = await read_body(receive)
            session_hash = session_hash_of(path, request, body)
        except UnusableBodyError as error:
            raise _RefusedError(_refusal(422, "This page sends no such thing.")) from error
        except HTTPException as error:
            raise _RefusedError(_refusal(error.status_code, error.detail)) from error
        if session_hash is not None and not self._pages.claim(session_hash, member.id):
            raise _RefusedError(_refusal(403, "This page session is somebody else's."))
        return replayed(body, receive)

    async def _member(self, request: HTTPConnection) -> Member | None:
        try:
            return await self._sessions.member(request)
        except NotLoggedInError:
            return None


def _is_open(path: str) -> bool:
    return PUBLIC_PATHS.fullmatch(path) is not None or MEMBER_PATHS.fullmatch(path) is not None


def _refusal(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": why}, status)


def _with_headers(send: Send, *, private: bool) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(GRADIO_HEADERS)
            if private:
                headers["Cache-Control"] = "no-store"
        await send(message)

    return send_with_headers
