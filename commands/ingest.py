"""`deskhand ingest`: load FAQ files and documents from the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.console import console, progress_bar, run, settings_or_exit
from commands.store import with_store

if TYPE_CHECKING:
    from storage.store import Store


def ingest(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="FAQ tables or documents.")],
    workspace: Annotated[str, typer.Option(help="The workspace that learns them.")] = "demo",
) -> None:
    """Load FAQ files and documents into a workspace."""

    async def load(store: "Store") -> None:
        await store.accounts.workspaces.read(workspace)
        for file in files:
            document = await store.knowledge.catalogue.create(workspace, file.name, file.read_bytes())
            with progress_bar(file.name) as report:
                document = await store.knowledge.catalogue.load_document(document.id, report)
            console.print(f"{file.name}: {document.status}, {document.entries} entries {document.error or ''}")
            for refused in document.refused:
                console.print(f"  row {refused.row}: {refused.reason}")

    run(with_store(settings_or_exit(), load))
