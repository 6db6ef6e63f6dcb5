"""`deskhand db`: the database and what is made from it."""

from typing import Annotated

import typer

from commands.console import console, progress_bar, run, settings_or_exit, with_rows
from storage.store import Store, migrate_database

db_cli = typer.Typer(no_args_is_help=True, help="The database.")


@db_cli.command("upgrade")
def db_upgrade() -> None:
    """Migrate the database to this version's schema."""
    run(migrate_database(settings_or_exit()))
    console.print("The database is up to date.")


@db_cli.command("reindex")
def db_reindex(workspace: Annotated[str, typer.Option(help="Default: every workspace.")] = "") -> None:
    """Make the vectors anew from the rows."""

    async def reindex(store: Store) -> None:
        for found in await store.workspaces.all():
            if workspace in ("", found.id):
                with progress_bar(found.id) as report:
                    count = await store.knowledge.reindex(found.id, report)
                console.print(f"{found.id}: {count} chunks")

    run(with_rows(settings_or_exit(), reindex))
