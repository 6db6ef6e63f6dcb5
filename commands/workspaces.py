"""`deskhand workspace`: the tenants, and which of them is the home workspace."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from commands.console import console, run, settings_or_exit
from commands.store import with_store

if TYPE_CHECKING:
    from storage.store import Store

workspace_cli = typer.Typer(no_args_is_help=True, help="Workspaces, and which of them is the home workspace.")


@workspace_cli.command("list")
def workspace_list() -> None:
    """List the workspaces; the home workspace is marked."""

    async def show(store: "Store") -> None:
        home = await store.accounts.deployment.home_workspace()
        for workspace in await store.accounts.workspaces.all():
            mark = "  (home)" if workspace.id == home else ""
            console.print(f"{workspace.id}  {workspace.name}{mark}", highlight=False)

    run(with_store(settings_or_exit(), show))


@workspace_cli.command("home")
def workspace_home(
    workspace: Annotated[str, typer.Argument(help="The workspace's id; without it the present one is printed.")] = "",
) -> None:
    """Choose whose /chat is, and what the deployment's own Slack and Discord tokens are for."""

    async def choose(store: "Store") -> None:
        if workspace:
            await store.accounts.deployment.choose_home_workspace(workspace)
        home = await store.accounts.deployment.home_workspace()
        console.print(f"The home workspace is {home}." if home else "There is no home workspace yet.", highlight=False)

    run(with_store(settings_or_exit(), choose))


@workspace_cli.command("invite")
def workspace_invite(
    hours: Annotated[int, typer.Option(min=1, max=720, help="How long the link is good for.")] = 72,
) -> None:
    """Print a link by which somebody founds a workspace of their own, once."""
    settings = settings_or_exit()

    async def make(store: "Store") -> None:
        token, expires_at = await store.accounts.invitations.make(timedelta(hours=hours))
        base = settings.web.public_url.rstrip("/") or "http://localhost:7860"
        console.print(f"{base}/join?token={token}", highlight=False, soft_wrap=True)
        console.print(f"Good for one workspace, until {expires_at:%Y-%m-%d %H:%M} UTC.", highlight=False)

    run(with_store(settings, make))
