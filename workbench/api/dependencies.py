"""What every route of the REST interface depends on: the office, and who is calling."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from storage.errors import NotAllowedError, NotLoggedInError
from storage.records import Member, Role
from storage.reporting.analytics import Analytics
from storage.reporting.monitoring import Monitoring
from workbench.auth.sessions import LoginLimits
from workbench.context import WorkbenchContext


@dataclass(frozen=True, slots=True)
class ApiContext:
    """The office and what only its REST interface needs."""

    office: WorkbenchContext
    logins: LoginLimits
    registrations: LoginLimits
    """Every registration counts, not only failed ones: each costs a password hash."""
    analytics: Analytics
    monitoring: Monitoring


def behind(front: ApiContext) -> Callable[[Request], None]:
    """The dependency by which the routes below it find this front."""

    def provide(request: Request) -> None:
        request.state.front = front

    return provide


def _front(request: Request) -> ApiContext:
    front: ApiContext = request.state.front
    return front


def _office(front: Annotated[ApiContext, Depends(_front)]) -> WorkbenchContext:
    return front.office


Context = Annotated[ApiContext, Depends(_front)]
AtOffice = Annotated[WorkbenchContext, Depends(_office)]
_bearer = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/login", auto_error=False, description="A member's login.")


def _token(token: Annotated[str | None, Depends(_bearer)]) -> str:
    """Only the header counts: a cookie would let other sites act in the member's name."""
    if not token:
        raise NotLoggedInError("Send the access_token of a login as the bearer.")
    return token


BearerToken = Annotated[str, Depends(_token)]


async def _member(office: AtOffice, token: BearerToken) -> Member:
    return await office.store.accounts.members.by_token(token)


CurrentMember = Annotated[Member, Depends(_member)]


def _admin(member: CurrentMember) -> Member:
    if member.role is not Role.ADMIN:
        raise NotAllowedError("Only admins may do this.")
    return member


CurrentAdmin = Annotated[Member, Depends(_admin)]
