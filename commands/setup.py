"""`deskhand setup`: the first login, its workspace and the home workspace, on a desk without the demo."""

from typing import TYPE_CHECKING, Annotated

import typer

from commands.console import console, run, settings_or_exit
from commands.store import with_store

if TYPE_CHECKING:
    from storage.store import Store


def setup(
    workspace: Annotated[str, typer.Option(prompt="Workspace id (such as acme)", help="The new workspace's id.")],
    email: Annotated[str, typer.Option(prompt="Your e-mail", help="The operator's e-mail.")],
    password: Annotated[
        str, typer.Option(prompt="Password", hide_input=True, confirmation_prompt=True, help="10 characters or more.")
    ],
    name: Annotated[str, typer.Option(help="The workspace's name; default: its id.")] = "",
    person: Annotated[str, typer.Option(help="The operator's name; default: the e-mail.")] = "",
) -> None:
    """Make the first workspace, its admin and operator; asks for what is not given."""

    async def found(store: "Store") -> None:
        plan = store.accounts.workspaces.plan(workspace, name)
        admin = await store.accounts.members.found_workspace(plan, email, person, password, only_first=True)
        console.print(
            f"{admin.email} is admin of `{workspace}`, the home workspace, and operator of this desk. "
            "Start it with `deskhand up --no-demo`.",
            highlight=False,
            soft_wrap=True,
        )

    run(with_store(settings_or_exit(), found))
