"""Serving under a sub-path (ASGI `root_path`): the prefix is taken off, whether the proxy in front did that or not."""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class RootPathMiddleware:
    """The outermost ASGI middleware: everything within sees paths without the prefix, and finds it in `root_path`."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the prefix off a request's path."""
        if not self._root_path or scope["type"] != "http":
            return await self._app(scope, receive, send)
        path: str = scope["path"]
        if path == self._root_path:
            # The pages' own links are relative to the folder.
            return await RedirectResponse(f"{self._root_path}/", 307)(scope, receive, send)
        inner = {**scope, "root_path": self._root_path}
        if path.startswith(f"{self._root_path}/"):
            inner["path"] = path.removeprefix(self._root_path)
            inner["raw_path"] = scope["raw_path"].removeprefix(self._root_path.encode())
        return await self._app(inner, receive, send)
