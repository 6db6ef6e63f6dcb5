"""REST: what operators decide for the whole deployment."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from storage.records import Member, Registration
from workbench.api.dependencies import Context, CurrentMember
from workbench.api.schemas import Body, Item

router = APIRouter(prefix="/deployment", tags=["deployment"])


class DeploymentItem(Item):
    """What holds for every workspace."""

    home_workspace: str | None
    """Whose `/chat` is, and what the deployment's own platform tokens are for."""
    registration: Registration
    """Who may found a workspace: `access.registration`."""


class InvitationBody(Body):
    """How long the link is good for."""

    hours: Annotated[int, Field(ge=1, le=720)] = 72


class InvitationItem(Item):
    """A link by which somebody founds a workspace, once."""

    token: str
    """What `POST /auth/register` takes as `invitation`."""
    path: str
    """The page that asks for the rest, under this desk's own address."""
    expires_at: datetime


class DeploymentBody(Body):
    """What is decided anew."""

    home_workspace: Annotated[str, Field(max_length=63)]


async def _operator(context: Context, member: CurrentMember) -> Member:
    await context.store.accounts.accounts.require_operator(member)
    return member


CurrentOperator = Annotated[Member, Depends(_operator)]


@router.get("")
async def read_deployment(context: Context, _: CurrentOperator) -> DeploymentItem:
    """What was decided; for operators."""
    home = await context.store.accounts.deployment.home_workspace()
    return DeploymentItem(home_workspace=home, registration=context.settings.access.registration)


@router.patch("")
async def change_deployment(context: Context, operator: CurrentOperator, body: DeploymentBody) -> DeploymentItem:
    """Choose the home workspace; for operators."""
    await context.store.accounts.deployment.choose_home_workspace(body.home_workspace)
    return await read_deployment(context, operator)


@router.post("/invitations", status_code=201)
async def create_invitation(context: Context, _: CurrentOperator, body: InvitationBody) -> InvitationItem:
    """Make a link by which somebody founds a workspace of their own, once; for operators."""
    token, expires_at = await context.store.accounts.invitations.make(timedelta(hours=body.hours))
    return InvitationItem(token=token, path=f"/join?token={token}", expires_at=expires_at)
