"""Authentication middleware around Gradio: only members, and only the endpoints that the pages use."""

import re

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage.errors import NotLoggedInError, PasswordChangeRequiredError
from storage.records import Member, Role
from workbench.auth.sessions import Sessions, is_same_site

PUBLIC_PATHS = re.compile(r"/(assets|static|svelte)/.+|/(gradio_api/)?theme\.css|/favicon\.ico|/robots\.txt")
"""Gradio's own published files: nothing of ours is in them."""
MEMBER_PATHS = re.compile(
    r"/|/config|/gradio_api/(queue/(join|data)|component_server/?|heartbeat/\w+|startup-events|login_check|cancel|reset)"
)
ADMIN_PATHS = re.compile(r"/gradio_api/upload(_progress)?")
"""Only admins load documents."""
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


class AuthMiddleware:
    """ASGI middleware around the mounted Gradio application."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        refusal = JSONResponse({"error": "not here"}, 404) if scope["type"] != "http" else await self._refusal(scope)
        if refusal is not None:
            return await refusal(scope, receive, send)
        return await self._app(scope, receive, _with_headers(send, private=scope["path"] == "/"))

    async def _refusal(self, scope: Scope) -> Response | None:
        path, request = scope["path"], HTTPConnection(scope)
        if PUBLIC_PATHS.fullmatch(path):
            return None
        for_admins = ADMIN_PATHS.fullmatch(path) is not None
        if not for_admins and not MEMBER_PATHS.fullmatch(path):
            return JSONResponse({"error": "There is nothing here."}, 404)
        if scope["method"] not in ("GET", "HEAD") and not is_same_site(request):
            return JSONResponse({"error": "This request came from another site."}, 403)
        try:
            member = await self._member(request)
        except PasswordChangeRequiredError as error:
            changes = RedirectResponse("/password", 303)
            return changes if path == "/" else JSONResponse({"error": error.detail}, 403)
        if member is None:
            return RedirectResponse("/login", 303) if path == "/" else JSONResponse({"error": "Log in first."}, 401)
        is_barred = for_admins and member.role is not Role.ADMIN
        return JSONResponse({"error": "Only admins may do this."}, 403) if is_barred else None

    async def _member(self, request: HTTPConnection) -> Member | None:
        try:
            return await self._sessions.member(request)
        except NotLoggedInError:
            return None


def _with_headers(send: Send, *, private: bool) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(GRADIO_HEADERS)
            if private:
                headers["Cache-Control"] = "no-store"
        await send(message)

    return send_with_headers
