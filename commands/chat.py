"""`deskhand chat`: the same desk in a terminal."""

from typing import Annotated

import typer

from bot.terminal import Terminal
from commands.console import run, settings_or_exit
from commands.process.composition import open_process
from commands.process.roles import ProcessRole
from storage.settings import Settings


def chat(workspace: Annotated[str, typer.Option(help="The workspace to talk to.")] = "demo") -> None:
    """Talk to the desk in this terminal."""
    run(_talk(settings_or_exit(quiet=True), workspace))


async def _talk(settings: Settings, workspace: str) -> None:
    async with open_process(settings, ProcessRole.WORKER) as process:
        await process.store.accounts.workspaces.read(workspace)
        await Terminal(process.store, process.intake, workspace).run()
