"""`deskhand channel`: support channels, staff and teams of the chat platforms."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.slack.connection.install_links import install_link
from commands.console import console, fail, run, settings_or_exit
from commands.store import with_store
from storage.errors import InvalidError, NotAllowedError, NotFoundError
from storage.records import ChannelName, Mode, Place

if TYPE_CHECKING:
    from storage.store import Store

channel_cli = typer.Typer(no_args_is_help=True, help="Slack and Discord: support channels, staff, teams.")


@channel_cli.command("bind")
def channel_bind(
    channel: Annotated[str, typer.Argument(help="slack or discord.")],
    team: Annotated[str, typer.Argument(help="The Slack team's or Discord server's id.")],
    workspace: Annotated[str, typer.Option(help="Whose customers and staff are there.")],
) -> None:
    """Give a Slack team or Discord server to a workspace; the others' places there go."""

    async def bind(store: "Store") -> None:
        await store.accounts.workspaces.read(workspace)
        await store.channels.installations.bind(workspace, channel_named(channel), team)
        console.print(f"{team} belongs to {workspace} from the next message on", highlight=False)

    run(with_store(settings_or_exit(), bind))


@channel_cli.command("unbind")
def channel_unbind(
    channel: Annotated[str, typer.Argument(help="slack or discord.")],
    team: Annotated[str, typer.Argument(help="The Slack team's or Discord server's id.")],
    workspace: Annotated[str, typer.Option(help="The workspace that has it.")],
) -> None:
    """Take a Slack team or Discord server from a workspace, with its places there."""

    async def unbind(store: "Store") -> None:
        await store.channels.installations.unbind(workspace, channel_named(channel), team)
        console.print(f"{team} does not belong to {workspace} any more", highlight=False)

    run(with_store(settings_or_exit(), unbind))


@channel_cli.command("set")
def channel_set(
    channel: Annotated[str, typer.Argument(help="slack or discord.")],
    team: Annotated[str, typer.Argument(help="The Slack team's or Discord server's id.")],
    place: Annotated[str, typer.Argument(help="The channel's id.")],
    workspace: Annotated[str, typer.Option()] = "demo",
    mode: Annotated[Mode | None, typer.Option(help="Every message there is heard; default: mentions only.")] = None,
    *,
    staff: Annotated[bool, typer.Option(help="Post reviews there as cards.")] = False,
) -> None:
    """Make a channel a support channel with a mode of its own, or the staff's."""

    async def keep(store: "Store") -> None:
        await store.accounts.workspaces.read(workspace)
        owner = await store.channels.installations.workspace_of(channel_named(channel), team)
        if owner != workspace:
            raise NotAllowedError(
                f"{team} belongs to `{owner}`, so nothing was changed. To give it to `{workspace}`: "
                f"deskhand channel bind {channel} {team} --workspace {workspace}"
            )
        await store.channels.places.keep(
            Place(workspace, channel_named(channel), team, place, mode=mode, is_staff=staff)
        )
        console.print(f"{place} is kept: {'staff' if staff else mode or 'mentions only'}", highlight=False)

    run(with_store(settings_or_exit(), keep))


@channel_cli.command("link")
def channel_link(
    email: str,
    channel: Annotated[str, typer.Argument(help="slack or discord.")],
    user: Annotated[str, typer.Argument(help="Slack: TEAM/USER, such as T012AB/U034CD; Discord: the user's id.")],
    workspace: Annotated[str, typer.Option()] = "demo",
) -> None:
    """Say who a member is on a chat platform: there they take over and decide reviews."""

    async def link(store: "Store") -> None:
        ids = [
            member.id for member in await store.accounts.members.all(workspace) if member.email == email.strip().lower()
        ]
        if not ids:
            raise NotFoundError(f"{email} is no member of `{workspace}`.")
        await store.channels.identities.link(workspace, ids[0], channel_named(channel), user)
        console.print(f"{email} is {user} on {channel}", highlight=False)

    run(with_store(settings_or_exit(), link))


@channel_cli.command("add-to-slack")
def channel_add_to_slack(workspace: Annotated[str, typer.Option()] = "demo") -> None:
    """Print a link, good for a day, by which a Slack team adds the app for this workspace."""
    invite = install_link(settings_or_exit())
    if invite is None:
        fail("set web.public_url, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET first (docs/slack.md)")
    console.print(invite(workspace), highlight=False, soft_wrap=True)


def channel_named(text: str) -> ChannelName:
    """The chat platform of this name; InvalidError if it is none."""
    match text:
        case "slack" | "discord":
            return text
        case _:
            raise InvalidError("The channel is slack or discord.")
