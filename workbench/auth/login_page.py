"""The login page: password login into a cookie session, switching workspaces, logging out."""

from pathlib import Path
from string import Template
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from storage.accounts.login_limits import LoginLimits
from storage.accounts.passwords import MAX_PASSWORD_LENGTH
from storage.errors import NotAllowedError, NotLoggedInError, TooManyAttemptsError
from storage.settings import Settings
from storage.store import AccountStore
from workbench.auth.sessions import SESSION_COOKIE, Sessions, is_same_site
from workbench.ui.html import esc

_HERE = Path(__file__).parent
NO_STORE = {"Cache-Control": "no-store"}
LOGIN_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
"""The login page runs no script and loads nothing but its stylesheet."""


class LoginPage:
    """The handlers of the login page."""

    def __init__(self, accounts: AccountStore, settings: Settings, limits: LoginLimits) -> None:
        self._accounts = accounts
        self._sessions = Sessions(accounts.tokens)
        self._limits = limits
        self._session_seconds = settings.web.session_hours * 3600
        self._template = Template((_HERE / "login.html").read_text(encoding="utf-8"))

    async def stylesheet(self) -> FileResponse:
        """The one stylesheet, for the login page and for Gradio."""
        return FileResponse(_HERE.parent / "ui" / "theme.css", headers={"Cache-Control": "no-cache"})

    async def show(self, request: Request) -> Response:
        """The login page, or on to the workbench."""
        try:
            await self._sessions.member(request)
        except NotLoggedInError:
            return _render(self._template)
        return RedirectResponse("/", 303)

    async def log_in(
        self, request: Request, email: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
    ) -> Response:
        """Check e-mail and password and set the cookie."""
        if not is_same_site(request):
            return _render(self._template, email, "This login came from another site; please log in here.", 403)
        address = request.client.host if request.client else ""
        try:
            self._limits.admit(address, email)
            found = await self._accounts.members.log_in(email, password[:MAX_PASSWORD_LENGTH])
        except TooManyAttemptsError as error:
            return _render(self._template, email, error.detail, 429)
        except NotLoggedInError as error:
            return _render(self._template, email, error.detail, 401)
        self._limits.succeeded(address, email)
        return _start_session(request, await self._accounts.tokens.for_member(found[0], found), self._session_seconds)

    async def switch(self, request: Request, member: Annotated[str, Form()] = "") -> Response:
        """Act in another of the person's workspaces."""
        if not is_same_site(request):
            return RedirectResponse("/", 303)
        try:
            return _start_session(
                request, await self._sessions.token_for_switch(request, member), self._session_seconds
            )
        except (NotLoggedInError, NotAllowedError):
            return RedirectResponse("/login", 303)

    async def log_out(self, request: Request) -> Response:
        """Forget the cookie; another site cannot make a browser do that."""
        if not is_same_site(request):
            return RedirectResponse("/", 303)
        response = RedirectResponse("/login", 303, headers=NO_STORE)
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")
        return response


def login_routes(accounts: AccountStore, settings: Settings, limits: LoginLimits) -> APIRouter:
    """`/login`, `/logout`, `/switch` and the stylesheet."""
    page = LoginPage(accounts, settings, limits)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/workbench/ui/theme.css", page.stylesheet, response_class=Response)
    routes.add_api_route("/login", page.show, response_class=Response)
    routes.add_api_route("/login", page.log_in, methods=["POST"], response_class=Response)
    routes.add_api_route("/switch", page.switch, methods=["POST"], response_class=Response)
    routes.add_api_route("/logout", page.log_out, methods=["GET", "POST"], response_class=Response)
    return routes


def _start_session(request: Request, token: str, seconds: int) -> Response:
    response = RedirectResponse("/", 303, headers=NO_STORE)
    secure = request.url.scheme == "https"
    response.set_cookie(SESSION_COOKIE, token, max_age=seconds, httponly=True, samesite="lax", secure=secure)
    return response


def _render(template: Template, email: str = "", message: str = "", status: int = 200) -> HTMLResponse:
    alert = f'<p class="dh-alert" role="alert">{esc(message)}</p>' if message else ""
    return HTMLResponse(
        template.substitute(email=esc(email), alert=alert), status, headers=NO_STORE | LOGIN_PAGE_HEADERS
    )
