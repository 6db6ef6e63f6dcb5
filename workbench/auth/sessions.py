"""Who may come in: the cookie of a login and the login page's routes."""

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Annotated, TypeAlias
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from starlette.requests import HTTPConnection
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from storage.accounts.login_limits import LoginLimits
from storage.accounts.passwords import MAX_PASSWORD_LENGTH
from storage.accounts.tokens import Tokens
from storage.errors import NotAllowedError, NotLoggedInError, TooManyAttemptsError
from storage.records import Member, Role
from storage.settings import Settings
from storage.store import AccountStore
from workbench.ui.html import esc

if TYPE_CHECKING:
    # Workers serve /health by this package's neighbours: they need not hold 80 MB of Gradio.
    import gradio as gr

COOKIE = "deskhand_session"
HERE = Path(__file__).parent
Caller: TypeAlias = "HTTPConnection | gr.Request"
"""Who asks: Starlette's request, or Gradio's wrapper of it in an event handler."""
NO_STORE = {"Cache-Control": "no-store"}


class Sessions:
    """Finds the member behind a request by its cookie; nothing that the browser says otherwise is believed."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def member(self, request: Caller) -> Member:
        """Who this is. Raises NotLoggedInError."""
        return await self._tokens.member(_token(request))

    async def admin(self, request: Caller) -> Member:
        """Who this is, if an admin. Raises NotLoggedInError and NotAllowedError."""
        member = await self.member(request)
        if member.role is not Role.ADMIN:
            raise NotAllowedError("Only admins may do this.")
        return member

    async def choices(self, request: Caller) -> list[Member]:
        """The same person in each of their workspaces, the active one first. Raises NotLoggedInError."""
        return await self._tokens.members(_token(request))

    async def switched(self, request: Caller, member_id: str) -> str:
        """A token for another of the person's workspaces. Raises NotLoggedInError and NotAllowedError."""
        choices = await self.choices(request)
        chosen = next((choice for choice in choices if choice.id == member_id), None)
        if chosen is None:
            raise NotAllowedError("This login does not open that workspace.")
        return await self._tokens.for_member(chosen, choices)


def _token(request: Caller) -> str:
    token = request.cookies.get(COOKIE)
    if not token:
        raise NotLoggedInError
    return str(token)


def is_same_site(request: HTTPConnection) -> bool:
    """Whether a request that changes something comes from one of our own pages, as browsers tell it."""
    fetched_from = request.headers.get("sec-fetch-site")
    if fetched_from is not None:
        return fetched_from in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


class Door:
    """The handlers of the login page."""

    def __init__(self, accounts: AccountStore, settings: Settings, limits: LoginLimits) -> None:
        self._accounts = accounts
        self._sessions = Sessions(accounts.tokens)
        self._limits = limits
        self._seconds = settings.web.session_hours * 3600
        self._page = Template((HERE / "login.html").read_text(encoding="utf-8"))

    async def theme(self) -> FileResponse:
        """The one stylesheet, for the login page and for Gradio."""
        return FileResponse(HERE.parent / "ui" / "theme.css", headers={"Cache-Control": "no-cache"})

    async def show(self, request: Request) -> Response:
        """The login page, or on to the workbench."""
        try:
            await self._sessions.member(request)
        except NotLoggedInError:
            return _page(self._page)
        return RedirectResponse("/", 303)

    async def log_in(
        self, request: Request, email: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
    ) -> Response:
        """Check e-mail and password and set the cookie."""
        if not is_same_site(request):
            return _page(self._page, email, "This login came from another site; please log in here.", 403)
        address = request.client.host if request.client else ""
        try:
            self._limits.admit(address, email)
            found = await self._accounts.members.log_in(email, password[:MAX_PASSWORD_LENGTH])
        except TooManyAttemptsError as error:
            return _page(self._page, email, error.detail, 429)
        except NotLoggedInError as error:
            return _page(self._page, email, error.detail, 401)
        self._limits.succeeded(address, email)
        return _enter(request, await self._accounts.tokens.for_member(found[0], found), self._seconds)

    async def switch(self, request: Request, member: Annotated[str, Form()] = "") -> Response:
        """Act in another of the person's workspaces."""
        if not is_same_site(request):
            return RedirectResponse("/", 303)
        try:
            return _enter(request, await self._sessions.switched(request, member), self._seconds)
        except (NotLoggedInError, NotAllowedError):
            return RedirectResponse("/login", 303)

    async def log_out(self, request: Request) -> Response:
        """Forget the cookie; another site cannot make a browser do that."""
        if not is_same_site(request):
            return RedirectResponse("/", 303)
        response = RedirectResponse("/login", 303, headers=NO_STORE)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")
        return response


def access_routes(accounts: AccountStore, settings: Settings, limits: LoginLimits) -> APIRouter:
    """`/login`, `/logout`, `/switch` and the stylesheet."""
    door = Door(accounts, settings, limits)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/workbench/ui/theme.css", door.theme, response_class=Response)
    routes.add_api_route("/login", door.show, response_class=Response)
    routes.add_api_route("/login", door.log_in, methods=["POST"], response_class=Response)
    routes.add_api_route("/switch", door.switch, methods=["POST"], response_class=Response)
    routes.add_api_route("/logout", door.log_out, methods=["GET", "POST"], response_class=Response)
    return routes


def _enter(request: Request, token: str, seconds: int) -> Response:
    response = RedirectResponse("/", 303, headers=NO_STORE)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, max_age=seconds, httponly=True, samesite="lax", secure=secure)
    return response


def _page(page: Template, email: str = "", message: str = "", status: int = 200) -> HTMLResponse:
    alert = f'<p class="dh-alert" role="alert">{esc(message)}</p>' if message else ""
    return HTMLResponse(page.substitute(email=esc(email), alert=alert), status, headers=NO_STORE | PAGE_SECURITY)


PAGE_SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
"""The login page runs no script and loads nothing but its stylesheet."""
