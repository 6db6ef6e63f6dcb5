"""Dependency injection of the REST interface: the workbench's context, and who is calling."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from storage.errors import NotAllowedError, NotLoggedInError
from storage.records import Member, Role
from workbench.context import WorkbenchContext


def providing(context: WorkbenchContext) -> Callable[[Request], None]:
    """The dependency by which the routes below it find this context."""

    def provide(request: Request) -> None:
        request.state.workbench = context

    return provide


def _context(request: Request) -> WorkbenchContext:
    context: WorkbenchContext = request.state.workbench
    return context


Context = Annotated[WorkbenchContext, Depends(_context)]
_bearer = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/login", auto_error=False, description="A member's login.")


def _token(token: Annotated[str | None, Depends(_bearer)]) -> str:
    """Only the header counts: a cookie would let other sites act in the member's name."""
    if not token:
        raise NotLoggedInError("Send the access_token of a login as the bearer.")
    return token


MemberBearer = Annotated[str, Depends(_token)]


async def _member(context: Context, token: MemberBearer) -> Member:
    return await context.store.accounts.tokens.member(token)


CurrentMember = Annotated[Member, Depends(_member)]


def _admin(member: CurrentMember) -> Member:
    if member.role is not Role.ADMIN:
        raise NotAllowedError("Only admins may do this.")
    return member


CurrentAdmin = Annotated[Member, Depends(_admin)]
