"""Redirects within the site, wherever it is mounted (ASGI `root_path`)."""

from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse


def root_of(request: HTTPConnection) -> str:
    """The prefix of every path of this site, without a slash at its end; empty at the root of its host."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def redirect(request: HTTPConnection, path: str, headers: Mapping[str, str] | None = None) -> RedirectResponse:
    """See another page of this site."""
    return RedirectResponse(f"{root_of(request)}{path}", 303, headers=headers)
