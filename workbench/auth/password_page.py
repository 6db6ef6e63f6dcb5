"""The password page: members set their own password, and log out everywhere."""

from pathlib import Path
from string import Template
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, Response

from storage.errors import InvalidError, NotAllowedError, NotLoggedInError
from storage.store import AccountStore
from workbench.auth.login_page import LOGIN_PAGE_HEADERS, NO_STORE, end_cookie, start_session
from workbench.auth.redirects import redirect
from workbench.auth.sessions import Sessions, device_of, is_same_site
from workbench.ui.html import esc

MUST_CHANGE = "Your password was set by somebody else: choose one of your own before you go on."


class PasswordPage:
    """The handlers of the page; it opens also to who must change their password first."""

    def __init__(self, accounts: AccountStore, session_seconds: int) -> None:
        self._accounts = accounts
        self._sessions = Sessions(accounts.tokens)
        self._session_seconds = session_seconds
        self._template = Template((Path(__file__).parent / "password.html").read_text(encoding="utf-8"))

    async def show(self, request: Request) -> Response:
        """The page, or the login."""
        try:
            principal = await self._sessions.principal(request)
        except NotLoggedInError:
            return redirect(request, "/login")
        return self._render(MUST_CHANGE if principal.must_change_password else "")

    async def change(
        self, request: Request, current: Annotated[str, Form()] = "", new: Annotated[str, Form()] = ""
    ) -> Response:
        """Set the password; every login ends and this browser gets a new one."""
        if not is_same_site(request):
            return redirect(request, "/password")
        try:
            principal = await self._sessions.principal(request)
            await self._accounts.accounts.change_password(principal.account_id, current, new)
        except NotLoggedInError:
            return redirect(request, "/login")
        except (NotAllowedError, InvalidError) as error:
            return self._render(error.detail, error.status)
        token = await self._accounts.tokens.for_member(principal.members[0], device_of(request))
        return start_session(request, token, self._session_seconds)

    async def log_out_everywhere(self, request: Request) -> Response:
        """End every login of the account."""
        if not is_same_site(request):
            return redirect(request, "/password")
        try:
            principal = await self._sessions.principal(request)
        except NotLoggedInError:
            return redirect(request, "/login")
        await self._accounts.sessions.end_all(principal.account_id)
        return end_cookie(request)

    def _render(self, message: str, status: int = 200) -> HTMLResponse:
        alert = f'<p class="dh-alert" role="alert">{esc(message)}</p>' if message else ""
        return HTMLResponse(self._template.substitute(alert=alert), status, headers=NO_STORE | LOGIN_PAGE_HEADERS)


def password_routes(accounts: AccountStore, session_seconds: int) -> APIRouter:
    """`/password` and `/logout-everywhere`."""
    page = PasswordPage(accounts, session_seconds)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/password", page.show, response_class=Response)
    routes.add_api_route("/password", page.change, methods=["POST"], response_class=Response)
    routes.add_api_route("/logout-everywhere", page.log_out_everywhere, methods=["POST"], response_class=Response)
    return routes
