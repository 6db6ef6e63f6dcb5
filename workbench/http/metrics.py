"""Counting requests by route and status."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage.telemetry.metrics import Metrics

OURS = ("/api/", "/health", "/metrics", "/docs", "/openapi.json")
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
"""Others are one label together: a client must not be able to make up time series."""


class RequestMeter:
    """ASGI middleware that tells the measures of every response."""

    def __init__(self, app: ASGIApp, measures: Metrics) -> None:
        self._app = app
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note when, and with what status, its response begins."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began = time.perf_counter()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in METHODS else "other"
                self._measures.requested(route_of(scope), method, message["status"], time.perf_counter() - began)
            await send(message)

        return await self._app(scope, receive, noting)


def route_of(scope: Scope) -> str:
    """The path with its parameters' names: the routers leave in the scope what they found."""
    path: str = scope["path"]
    if not path.startswith(OURS):
        return "pages"
    if "endpoint" not in scope:
        return "unmatched"
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(names.get(segment, segment) for segment in path.split("/"))
