"""The Channels tab's actions: an admin sets up places, links members to users and makes install links."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field

from storage.errors import InvalidError, NotAllowedError, NotFoundError
from storage.records import Member, Mode, Place
from workbench.channels.ids import ChatName, parse_place, parse_user
from workbench.context import WorkbenchContext
from workbench.ui.server_functions import Notice


class ChangeKind(StrEnum):
    """Everything that the page offers."""

    ADD_PLACE = "add_place"
    SET_PLACE = "set_place"
    REMOVE_PLACE = "remove_place"
    LINK = "link"
    UNLINK = "unlink"
    INVITE = "invite"


class Change(BaseModel):
    """One change as the browser asks for it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: ChangeKind
    channel: ChatName = "slack"
    where: str = Field(default="", max_length=300)
    """A place or person: as typed when it is new, else the external id of its row."""
    name: str = Field(default="", max_length=200)
    mode: Mode | Literal[""] = ""
    """Empty: mentions only."""
    is_staff: bool = False
    member_id: str = Field(default="", max_length=64)


@dataclass(frozen=True, slots=True)
class ChangeResult(Notice):
    """What the admin is told."""

    url: str = ""
    """A link that the admin asked for."""


async def apply_change(context: WorkbenchContext, admin: Member, change: Change) -> ChangeResult:
    """Do it in the admin's own workspace. Raises DeskhandError with what to mend."""
    match change.kind:
        case ChangeKind.ADD_PLACE:
            return await _add_place(context, admin, change)
        case ChangeKind.SET_PLACE:
            return await _set_place(context, admin, change)
        case ChangeKind.REMOVE_PLACE:
            await context.store.channels.places.remove(admin.workspace_id, change.channel, change.where, admin)
            return ChangeResult("Removed: the bot answers there only when it is mentioned.")
        case ChangeKind.LINK:
            return await _link(context, admin, change)
        case ChangeKind.UNLINK:
            await context.store.channels.identities.unlink(admin.workspace_id, change.channel, change.where, admin)
            return ChangeResult("Unlinked: this user is a customer there like everybody else.")
        case ChangeKind.INVITE:
            return ChangeResult("", url=_install_link(context, admin))
        case _:
            assert_never(change.kind)


async def _add_place(context: WorkbenchContext, admin: Member, change: Change) -> ChangeResult:
    teams = await _teams(context, admin.workspace_id, change.channel)
    team, external_id = parse_place(change.channel, change.where, teams)
    if await context.store.channels.installations.find_workspace(change.channel, team) != admin.workspace_id:
        raise NotAllowedError(f"{team} does not belong to this workspace, so its channels cannot be set up here.")
    place = Place(
        workspace_id=admin.workspace_id,
        channel=change.channel,
        team=team,
        external_id=external_id,
        name=change.name.strip(),
        mode=change.mode or None,
        is_staff=change.is_staff,
    )
    await context.store.channels.places.keep(place, admin)
    return ChangeResult(f"{place.name or external_id} is set up: it holds from the next message on.")


async def _set_place(context: WorkbenchContext, admin: Member, change: Change) -> ChangeResult:
    place = await context.store.channels.places.find(admin.workspace_id, change.channel, change.where)
    if place is None:
        raise NotFoundError("This place was removed meanwhile.")
    await context.store.channels.places.keep(replace(place, mode=change.mode or None, is_staff=change.is_staff), admin)
    return ChangeResult(f"{place.name or place.external_id} is changed: it holds from the next message on.")


async def _link(context: WorkbenchContext, admin: Member, change: Change) -> ChangeResult:
    if not change.member_id:
        raise InvalidError("Choose a member.")
    teams = await _teams(context, admin.workspace_id, change.channel)
    user = parse_user(change.channel, change.where, teams)
    await context.store.channels.identities.link(admin.workspace_id, change.member_id, change.channel, user)
    return ChangeResult("Linked: from now on they take over and decide reviews there.")


def _install_link(context: WorkbenchContext, admin: Member) -> str:
    if context.slack_install_link is None:
        raise InvalidError("Set web.public_url, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET first (docs/slack.md).")
    return context.slack_install_link(admin.workspace_id)


async def _teams(context: WorkbenchContext, workspace_id: str, channel: ChatName) -> set[str]:
    """The teams or servers of this workspace that the rows know of."""
    installed = await context.store.channels.installations.without_secrets(workspace_id)
    places = await context.store.channels.places.all(workspace_id, channel)
    found = {one.team for one in installed if one.channel == channel} | {place.team for place in places}
    if channel == "slack":
        links = await context.store.channels.identities.all(workspace_id)
        found |= {link.external_id.partition("/")[0] for link in links if link.channel == "slack"}
    return found - {""}
