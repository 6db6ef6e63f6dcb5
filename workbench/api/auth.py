"""REST: registering a workspace, logging in, and who one is."""

from typing import Annotated, Literal, assert_never

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import Field

from storage.accounts.deployment import ALREADY_SET_UP
from storage.accounts.devices import DEVICE_COOKIE
from storage.accounts.passwords import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH
from storage.errors import NotAllowedError, RegistrationClosedError
from storage.records import Member, Registration, Role
from workbench.api.dependencies import Context, MemberBearer
from workbench.api.schemas import Body, Item, SingleLine
from workbench.auth.login_page import remember_device
from workbench.auth.sessions import device_of


def no_store(response: Response) -> None:
    """A token belongs in no cache."""
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(prefix="/auth", tags=["auth"], dependencies=[Depends(no_store)])

BY_INVITATION = "New workspaces are founded by invitation; ask whoever runs this desk for a link."

NewPassword = Annotated[str, Field(min_length=MIN_PASSWORD_LENGTH, max_length=MAX_PASSWORD_LENGTH)]


class RegistrationBody(Body):
    """A new workspace and its first admin."""

    workspace: Annotated[str, Field(max_length=63)]
    """The workspace's id: lower-case letters, digits and inner hyphens."""
    workspace_name: SingleLine = ""
    email: Annotated[str, Field(max_length=320)]
    password: NewPassword
    name: SingleLine = ""
    invitation: Annotated[str, Field(max_length=100)] = ""
    """The token of an operator's link, where `access.registration` is `invitation`."""


class MemberLoginItem(Item):
    """A member's bearer."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme's name
    workspace: str
    role: Role


class WorkspaceRoleItem(Item):
    """A workspace that this login opens."""

    workspace: str
    role: Role


class MeItem(Item):
    """Who the bearer is."""

    id: str
    email: str
    name: str
    workspace: str
    role: Role
    places: list[WorkspaceRoleItem]
    """This workspace first, then the others; log in with `workspace` to act in one of them."""


@router.post("/register", status_code=201)
async def register(request: Request, body: RegistrationBody, context: Context) -> MemberLoginItem:
    """Create a workspace and its first admin, as far as `access.registration` allows."""
    store = context.store
    await check_registration(context, body.invitation)
    await store.accounts.member_logins.admit_registration(_address(request))
    only_first = context.settings.access.registration is Registration.FIRST
    workspace = store.accounts.workspaces.plan(body.workspace, body.workspace_name)
    admin = await store.accounts.members.found_workspace(
        workspace, body.email, body.name, body.password, only_first=only_first, invitation=body.invitation
    )
    return logged_in(admin, await store.accounts.tokens.for_member(admin, device_of(request)))


class Visitor:
    """Who tries to log in: the address, and the cookie of a device where it succeeded before."""

    def __init__(self, request: Request, response: Response) -> None:
        self.request = request
        self._response = response

    @property
    def address(self) -> str:
        """Whom the attempt counts for."""
        return _address(self.request)

    @property
    def device(self) -> str:
        """What the client shows; it may be anything."""
        return self.request.cookies.get(DEVICE_COOKIE, "")

    def remember(self, device: str) -> None:
        """Have the client show it next time."""
        remember_device(self.request, self._response, device)


@router.post("/login")
async def log_in(
    visitor: Annotated[Visitor, Depends()],
    context: Context,
    username: Annotated[str, Form(max_length=320, description="The e-mail.")],
    password: Annotated[str, Form(max_length=1000)],
    workspace: Annotated[str, Form(max_length=63, description="Of several workspaces, the one to act in.")] = "",
    scope: Annotated[str, Form(max_length=200, description="The same, for OAuth2 clients without other fields.")] = "",
) -> MemberLoginItem:
    """Log in by the OAuth2 password form."""
    accounts, address, device = context.store.accounts, visitor.address, visitor.device
    await accounts.member_logins.admit(address, username, device)
    found = await accounts.members.log_in(username.replace("\x00", ""), password)
    visitor.remember(await accounts.member_logins.succeeded(address, username, device))
    chosen = _chosen(found, workspace or scope.strip())
    return logged_in(chosen, await accounts.tokens.for_member(chosen, device_of(visitor.request)))


@router.get("/me")
async def read_me(context: Context, token: MemberBearer) -> MeItem:
    """Who the bearer is, and where else this login works."""
    member, *others = await context.store.accounts.tokens.members(token)
    places = [WorkspaceRoleItem(workspace=each.workspace_id, role=each.role) for each in (member, *others)]
    return MeItem(
        id=member.id,
        email=member.email,
        name=member.name,
        workspace=member.workspace_id,
        role=member.role,
        places=places,
    )


async def check_registration(context: Context, invitation: str) -> None:
    """Refuse before a hash is made; for the first one the transaction that founds the workspace looks again."""
    match context.settings.access.registration:
        case Registration.OPEN:
            return
        case Registration.INVITATION:
            # The transaction that founds the workspace uses the invitation up.
            if not invitation:
                raise RegistrationClosedError(BY_INVITATION)
        case Registration.FIRST:
            if await context.store.accounts.deployment.has_admin():
                raise RegistrationClosedError(ALREADY_SET_UP)
        case other:
            assert_never(other)


def _chosen(found: list[Member], workspace: str) -> Member:
    if not workspace:
        return found[0]
    for member in found:
        if member.workspace_id == workspace:
            return member
    raise NotAllowedError("This login does not open that workspace.")


def logged_in(member: Member, token: str) -> MemberLoginItem:
    """A member's bearer as an answer."""
    return MemberLoginItem(access_token=token, workspace=member.workspace_id, role=member.role)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
