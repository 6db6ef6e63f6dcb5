"""404 and 405 for `/api`: what no route takes ends here, and not in the pages that are mounted at `/`."""

from starlette.responses import JSONResponse
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from workbench.http.problem_document import problem_response

ROUTED_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class UnknownPathMiddleware:
    """ASGI middleware: 404 for unknown paths under `/api/`, 405 with `Allow` for known ones with another method."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through if a route will take it."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/") or _has_route(scope, scope["method"]):
            return await self._app(scope, receive, send)
        allowed = [method for method in ROUTED_METHODS if _has_route(scope, method)]
        return await _refusal(allowed)(scope, receive, send)


def _refusal(allowed: list[str]) -> JSONResponse:
    if not allowed:
        return problem_response(
            "not-found", 404, "Not Found", "There is nothing at this address; /docs lists what there is."
        )
    answer = problem_response("method-not-allowed", 405, "Method Not Allowed", f"Use {' or '.join(allowed)} here.")
    answer.headers["Allow"] = ", ".join(allowed)
    return answer


def _has_route(scope: Scope, method: str) -> bool:
    """Whether a route of the application itself, not one mounted into it, takes this path by this method."""
    asked = {**scope, "method": method}
    routes = (route for route in scope["app"].router.routes if not isinstance(route, Mount))
    return any(route.matches(dict(asked))[0] is Match.FULL for route in routes)
