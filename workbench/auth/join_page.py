"""The join page: somebody with an operator's invitation founds a workspace and is logged in."""

from pathlib import Path
from string import Template
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, Response

from storage.errors import DeskhandError
from storage.store import AccountStore
from workbench.auth.login_page import LOGIN_PAGE_HEADERS, NO_STORE, start_session
from workbench.auth.redirects import redirect
from workbench.auth.sessions import device_of, is_same_site
from workbench.ui.html import esc

NO_TOKEN = "Open the whole link that you were given; ask whoever runs this desk for one."  # noqa: S105 - a sentence


class JoinPage:
    """The handlers of the page. The invitation is looked at only with the form, in the transaction that uses it up."""

    def __init__(self, accounts: AccountStore, session_seconds: int) -> None:
        self._accounts = accounts
        self._session_seconds = session_seconds
        self._template = Template((Path(__file__).parent / "join.html").read_text(encoding="utf-8"))

    async def show(self, token: str = "") -> Response:
        """The form."""
        return self._render(token, message="" if token else NO_TOKEN)

    async def join(
        self,
        request: Request,
        token: Annotated[str, Form()] = "",
        workspace: Annotated[str, Form()] = "",
        email: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
    ) -> Response:
        """Found the workspace and log in."""
        if not is_same_site(request) or not token:
            return redirect(request, "/join")
        try:
            await self._accounts.member_logins.admit_registration(request.client.host if request.client else "unknown")
            plan = self._accounts.workspaces.plan(workspace, "")
            admin = await self._accounts.members.found_workspace(plan, email, "", password, invitation=token)
        except DeskhandError as error:
            return self._render(token, workspace, email, error.detail, error.status)
        return start_session(
            request, await self._accounts.tokens.for_member(admin, device_of(request)), self._session_seconds
        )

    def _render(
        self, token: str, workspace: str = "", email: str = "", message: str = "", status: int = 200
    ) -> HTMLResponse:
        alert = f'<p class="dh-alert" role="alert">{esc(message)}</p>' if message else ""
        page = self._template.substitute(alert=alert, token=esc(token), workspace=esc(workspace), email=esc(email))
        return HTMLResponse(page, status, headers=NO_STORE | LOGIN_PAGE_HEADERS)


def join_routes(accounts: AccountStore, session_seconds: int) -> APIRouter:
    """`/join`."""
    page = JoinPage(accounts, session_seconds)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/join", page.show, response_class=Response)
    routes.add_api_route("/join", page.join, methods=["POST"], response_class=Response)
    return routes
