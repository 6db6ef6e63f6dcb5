"""`deskhand db upgrade_schema` and `deskhand db reindex`: the schema, and the vectors that are made from the rows."""

from typing import Annotated

import typer

from commands.console import console, progress_bar, run, settings_or_exit
from commands.store import with_store
from graph.checkpoints.opening import migrate_checkpoints
from storage.opening import migrate_database
from storage.settings import Settings
from storage.store import Store


def upgrade_schema() -> None:
    """Migrate the database to this version's schema."""
    run(_upgrade(settings_or_exit()))
    console.print("The database is up to date.")


async def _upgrade(settings: Settings) -> None:
    await migrate_database(settings)
    await migrate_checkpoints(settings)


def reindex(workspace: Annotated[str, typer.Option(help="Default: every workspace.")] = "") -> None:
    """Make the vectors anew from the rows."""
    run(reindex_all(settings_or_exit(), workspace))


async def reindex_all(settings: Settings, workspace: str = "") -> None:
    """Embed every chunk of every workspace again, or of this one."""

    async def reindex(store: Store) -> None:
        for found in await store.accounts.workspaces.all():
            if workspace in ("", found.id):
                with progress_bar(found.id) as report:
                    count = await store.knowledge.index.reindex(found.id, report)
                console.print(f"{found.id}: {count} chunks")

    await with_store(settings, reindex)
