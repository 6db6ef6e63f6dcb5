"""Cookie sessions: the member behind a browser's request."""

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from storage.accounts.sessions import Device
from storage.accounts.tokens import Principal, Tokens
from storage.errors import NotAllowedError, NotLoggedInError
from storage.records import Member, Role

if TYPE_CHECKING:
    # Workers serve /health by this package's neighbours: they need not hold 80 MB of Gradio.
    import gradio as gr

SESSION_COOKIE = "deskhand_session"
Caller: TypeAlias = "HTTPConnection | gr.Request"
"""Who asks: Starlette's request, or Gradio's wrapper of it in an event handler."""


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

    async def memberships(self, request: Caller) -> list[Member]:
        """The same person in each of their workspaces, the active one first. Raises NotLoggedInError."""
        return await self._tokens.members(_token(request))

    async def principal(self, request: Caller) -> Principal:
        """The login itself, also while a new password must be set. Raises NotLoggedInError."""
        return await self._tokens.principal(_token(request))


def _token(request: Caller) -> str:
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        raise NotLoggedInError
    return str(token)


def device_of(request: HTTPConnection) -> Device:
    """Where a login comes from."""
    return Device(request.headers.get("user-agent", ""), request.client.host if request.client else "")


def is_same_site(request: HTTPConnection) -> bool:
    """Whether a request that changes something comes from one of our own pages, as browsers tell it."""
    fetched_from = request.headers.get("sec-fetch-site")
    if fetched_from is not None:
        return fetched_from in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
