"""The login page: password login into a cookie session, switching workspaces, logging out."""

from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from storage.accounts.devices import DEVICE_COOKIE, DEVICE_LASTS
from storage.accounts.passwords import MAX_PASSWORD_LENGTH
from storage.errors import NotFoundError, NotLoggedInError, TooManyAttemptsError
from storage.settings import Settings
from storage.store import AccountStore
from workbench.auth.redirects import redirect, root_of
from workbench.auth.sessions import SESSION_COOKIE, Sessions, device_of, is_same_site
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


NOT_SET_UP = "Nobody has a login here yet: run deskhand setup on the machine of this desk to make the first one."


class LoginPage:
    """The handlers of the login page."""

    def __init__(self, accounts: AccountStore, settings: Settings) -> None:
        self._accounts = accounts
        self._sessions = Sessions(accounts.tokens)
        self._limits = accounts.member_logins
        self._session_seconds = settings.web.session_hours * 3600
        self._template = Template((_HERE / "login.html").read_text(encoding="utf-8"))

    async def stylesheet(self) -> FileResponse:
        """The one stylesheet, for the login page and for Gradio."""
        return FileResponse(_HERE.parent / "ui" / "theme.css", headers={"Cache-Control": "no-cache"})

    async def show(self, request: Request) -> Response:
        """The login page, or on to the workbench."""
        try:
            await self._sessions.principal(request)
        except NotLoggedInError:
            is_set_up = await self._accounts.deployment.has_admin()
            return _render(self._template, message="" if is_set_up else NOT_SET_UP)
        return redirect(request, "/")

    async def log_in(
        self, request: Request, email: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
    ) -> Response:
        """Check e-mail and password and set the cookie."""
        if not is_same_site(request):
            return _render(self._template, email, "This login came from another site; please log in here.", 403)
        address, device = request.client.host if request.client else "", request.cookies.get(DEVICE_COOKIE, "")
        try:
            await self._limits.admit(address, email, device)
            found = await self._accounts.members.log_in(email, password[:MAX_PASSWORD_LENGTH])
        except TooManyAttemptsError as error:
            return _render(self._template, email, error.detail, 429)
        except NotLoggedInError as error:
            return _render(self._template, email, error.detail, 401)
        device = await self._limits.succeeded(address, email, device)
        token = await self._accounts.tokens.for_member(found[0], device_of(request))
        response = start_session(request, token, self._session_seconds)
        remember_device(request, response, device)
        return response

    async def switch(self, request: Request, member: Annotated[str, Form()] = "") -> Response:
        """Act in another of the person's workspaces."""
        if not is_same_site(request):
            return redirect(request, "/")
        try:
            principal = await self._sessions.principal(request)
        except NotLoggedInError:
            return redirect(request, "/login")
        if member in {each.id for each in principal.members}:
            await self._accounts.sessions.switch(principal.session_id, member)
        return redirect(request, "/", NO_STORE)

    async def log_out(self, request: Request) -> Response:
        """End the session and forget the cookie; another site cannot make a browser do that."""
        if not is_same_site(request):
            return redirect(request, "/")
        with suppress(NotLoggedInError, NotFoundError):
            principal = await self._sessions.principal(request)
            await self._accounts.sessions.end(principal.account_id, principal.session_id)
        return end_cookie(request)


def login_routes(accounts: AccountStore, settings: Settings) -> APIRouter:
    """`/login`, `/logout`, `/switch` and the stylesheet."""
    page = LoginPage(accounts, settings)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/workbench/ui/theme.css", page.stylesheet, response_class=Response)
    routes.add_api_route("/login", page.show, response_class=Response)
    routes.add_api_route("/login", page.log_in, methods=["POST"], response_class=Response)
    routes.add_api_route("/switch", page.switch, methods=["POST"], response_class=Response)
    routes.add_api_route("/logout", page.log_out, methods=["GET", "POST"], response_class=Response)
    return routes


def end_cookie(request: Request) -> Response:
    """On to the login page, without the cookie."""
    response = redirect(request, "/login", NO_STORE)
    response.delete_cookie(SESSION_COOKIE, **_cookie_scope(request))
    return response


def remember_device(request: Request, response: Response, device: str) -> None:
    """Whoever logs in here has attempts of their own from now on."""
    response.set_cookie(DEVICE_COOKIE, device, max_age=int(DEVICE_LASTS.total_seconds()), **_cookie_scope(request))


def start_session(request: Request, token: str, seconds: int) -> Response:
    """On to the workbench, with the cookie."""
    response = redirect(request, "/", NO_STORE)
    response.set_cookie(SESSION_COOKIE, token, max_age=seconds, **_cookie_scope(request))
    return response


def _cookie_scope(request: Request) -> dict[str, Any]:
    """Where the cookie is sent: to this site alone, and over TLS where it came so."""
    path, secure = root_of(request) or "/", request.url.scheme == "https"
    return {"path": path, "secure": secure, "httponly": True, "samesite": "lax"}


def _render(template: Template, email: str = "", message: str = "", status: int = 200) -> HTMLResponse:
    alert = f'<p class="dh-alert" role="alert">{esc(message)}</p>' if message else ""
    return HTMLResponse(
        template.substitute(email=esc(email), alert=alert), status, headers=NO_STORE | LOGIN_PAGE_HEADERS
    )
