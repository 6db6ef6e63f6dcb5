"""REST: what operators decide for the whole deployment."""

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
