"""`deskhand member`: people with a login."""

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from commands.console import console, run, settings_or_exit
from commands.store import with_store
from storage.records import Role

if TYPE_CHECKING:
    from storage.store import Store

member_cli = typer.Typer(no_args_is_help=True, help="People with a login.")


@member_cli.command("add")
def member_add(
    email: str,
    workspace: Annotated[str, typer.Option()] = "demo",
    role: Annotated[Role, typer.Option()] = Role.AGENT,
    name: Annotated[str, typer.Option()] = "",
) -> None:
    """Add a member; the password is made at random and printed once."""

    async def add(store: "Store") -> None:
        password = secrets.token_urlsafe(12)
        await store.accounts.workspaces.read(workspace)
        member = await store.accounts.members.add(workspace, email, name, role, password)
        console.print(f"{member.email} is {member.role} of {workspace}; password: {password}", highlight=False)

    run(with_store(settings_or_exit(), add))


@member_cli.command("reset")
def member_reset(email: str, workspace: Annotated[str, typer.Option()] = "demo") -> None:
    """Set a new random password and print it once; open logins end."""

    async def reset(store: "Store") -> None:
        password = secrets.token_urlsafe(12)
        await store.accounts.members.reset_password(workspace, email, password)
        console.print(f"{email}: new password: {password}", highlight=False)

    run(with_store(settings_or_exit(), reset))


@member_cli.command("list")
def member_list(workspace: Annotated[str, typer.Option()] = "demo") -> None:
    """List a workspace's members."""

    async def show(store: "Store") -> None:
        for member in await store.accounts.members.all(workspace):
            console.print(f"{member.email}  {member.role}  {member.name}", highlight=False)

    run(with_store(settings_or_exit(), show))
