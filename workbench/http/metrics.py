"""Request metrics: every response counted by route, method and status."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage.telemetry.metrics import Metrics

MEASURED_PATHS = ("/api/", "/health", "/metrics", "/docs", "/openapi.json")
METERED_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
"""Others are one label together: a client must not be able to make up time series."""


class RequestMetricsMiddleware:
    """ASGI middleware that observes every response."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note when, and with what status, its response begins."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = time.perf_counter()

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in METERED_METHODS else "other"
                self._metrics.count_request(route_of(scope), method, message["status"], time.perf_counter() - started)
            await send(message)

        return await self._app(scope, receive, observe)


def route_of(scope: Scope) -> str:
    """The path with its parameters' names: the routers leave in the scope what they found."""
    path: str = scope["path"]
    if not path.startswith(MEASURED_PATHS):
        return "pages"
    if "endpoint" not in scope:
        return "unmatched"
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(names.get(segment, segment) for segment in path.split("/"))
