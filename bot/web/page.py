"""Chat page: static files and one template, nothing from elsewhere."""

from html import escape
from pathlib import Path
from string import Template

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from storage.errors import NotFoundError
from storage.records import Workspace
from storage.settings import Settings
from storage.store import AccountStore

NOT_THERE = "There is no support desk at this address"
NO_HOME = "This desk has no home workspace yet: whoever runs it chooses one with deskhand workspace home"
FOLDER = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Asked for again at each visit, so that a new version is seen at once; unchanged files come as 304.
    "Cache-Control": "no-cache",
}


class ChatPage:
    """Serves `/chat` for a workspace: the one named, or else the home workspace."""

    def __init__(self, accounts: AccountStore, settings: Settings) -> None:
        self._accounts = accounts
        self._max_characters = settings.guard.max_characters
        self._files = StaticFiles(directory=FOLDER)

    def router(self) -> APIRouter:
        """The routes of the page, at the site's root."""
        router = APIRouter(include_in_schema=False)
        router.get("/chat")(self.page)
        router.get("/chat/assets/{name}")(self.asset)
        return router

    async def page(self, workspace: str | None = None) -> Response:
        """The page; it says so itself if there is no such workspace."""
        found = await self._workspace(workspace)
        template = Template((FOLDER / "chat.html").read_text(encoding="utf-8"))
        html = template.substitute(
            workspace=escape(found.id if found else ""),
            name=escape(found.name if found else "Support"),
            notice=NOT_THERE if workspace else NO_HOME,
            max_characters=self._max_characters,
        )
        return HTMLResponse(html, status_code=200 if found else 404, headers=HEADERS)

    async def asset(self, name: str, request: Request) -> Response:
        """A file of the page."""
        response = await self._files.get_response(name, request.scope)
        response.headers.update(HEADERS)
        return response

    async def _workspace(self, workspace_id: str | None) -> Workspace | None:
        chosen = workspace_id or await self._accounts.deployment.home_workspace()
        if not chosen:
            return None
        try:
            return await self._accounts.workspaces.read(chosen)
        except NotFoundError:
            return None
