"""`deskhand member`: people with a login."""

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from commands.console import console, run, settings_or_exit
from commands.store import with_store
from storage.errors import NotFoundError
from storage.records import Role

if TYPE_CHECKING:
    from storage.store import Store

member_cli = typer.Typer(no_args_is_help=True, help="People with a login.")


WorkspaceOption = Annotated[str, typer.Option(help="Default: the home workspace.")]


@member_cli.command("add")
def member_add(
    email: str,
    workspace: WorkspaceOption = "",
    role: Annotated[Role, typer.Option()] = Role.AGENT,
    name: Annotated[str, typer.Option()] = "",
) -> None:
    """Add a member; the password is made at random and printed once."""

    async def add(store: "Store") -> None:
        password = secrets.token_urlsafe(12)
        home = await workspace_or_home(store, workspace)
        member = await store.accounts.members.add(home, email, name, role, password, replaces_password=True)
        console.print(f"{member.email} is {member.role} of {home}; password: {password}", highlight=False)

    run(with_store(settings_or_exit(), add))


@member_cli.command("reset")
def member_reset(email: str, workspace: WorkspaceOption = "") -> None:
    """Set a new random password and print it once; open logins end."""

    async def reset(store: "Store") -> None:
        password = secrets.token_urlsafe(12)
        home = await workspace_or_home(store, workspace)
        await store.accounts.accounts.reset_password(home, email, password, by_host=True)
        console.print(f"{email}: new password, to be changed at the next login: {password}", highlight=False)

    run(with_store(settings_or_exit(), reset))


@member_cli.command("list")
def member_list(workspace: WorkspaceOption = "") -> None:
    """List a workspace's members."""

    async def show(store: "Store") -> None:
        for member in await store.accounts.members.all(await workspace_or_home(store, workspace)):
            console.print(f"{member.email}  {member.role}  {member.name}", highlight=False)

    run(with_store(settings_or_exit(), show))


@member_cli.command("operator")
def member_operator(email: str, *, revoke: Annotated[bool, typer.Option(help="Take it back.")] = False) -> None:
    """Make somebody an operator of the whole desk, which is more than to be a workspace's admin."""

    async def appoint(store: "Store") -> None:
        await store.accounts.accounts.set_operator(email, is_operator=not revoke)
        console.print(f"Operators: {', '.join(await store.accounts.accounts.operators()) or 'none'}", highlight=False)

    run(with_store(settings_or_exit(), appoint))


async def workspace_or_home(store: "Store", workspace: str) -> str:
    """The workspace that is meant; NotFoundError says what to do if there is none."""
    chosen = workspace or await store.accounts.deployment.home_workspace()
    if not chosen:
        raise NotFoundError(
            "There is no home workspace: name one by --workspace, choose it by `deskhand workspace home ID`, or make "
            "the first one by `deskhand setup`."
        )
    return (await store.accounts.workspaces.read(chosen)).id
