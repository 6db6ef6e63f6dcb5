"""`deskhand db backup` and `deskhand db restore`: everything that is kept, in one file."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from commands.console import console, progress_bar, run, settings_or_exit
from commands.database.upkeep import reindex_all
from storage.database.data_folder import check_data_dir
from storage.errors import DeskhandError
from storage.operations.backup import back_up
from storage.operations.restore import Restored, restore
from storage.settings import Settings


def backup(
    target: Annotated[Path, typer.Argument(help="A file such as backup.tar.gz, or a folder that gets a dated one.")],
    *,
    force: Annotated[bool, typer.Option(help="Replace the file if it is there.")] = False,
) -> None:
    """Copy everything that is kept into one file, also while the desk runs; the file holds secrets."""
    settings = settings_or_exit()
    with progress_bar("Copying the rows") as report:
        written = run(asyncio.to_thread(back_up, settings, target, force=force, progress=report))
    console.print(
        f"Written: {written} ({written.stat().st_size:,} bytes). Keep it as secret as the desk.", soft_wrap=True
    )


def restore_backup(
    source: Annotated[Path, typer.Argument(help="What `deskhand db backup` wrote.")],
    *,
    keep: Annotated[bool, typer.Option(help="Keep the replaced data in a folder beside the new.")] = True,
) -> None:
    """Replace everything that is kept by a backup; no desk may run on the data folder."""
    run(_restore(settings_or_exit(), source, keep=keep))


async def _restore(settings: Settings, source: Path, *, keep: bool) -> None:
    check_data_dir(settings.data_dir)
    with progress_bar("Checking the backup") as report:
        restored = await restore(settings, source, keep=keep, progress=report)
    _print_summary(restored)
    try:
        await reindex_all(settings)
    except DeskhandError as error:
        console.print(f"The vectors could not be made: {error.detail} Run `deskhand db reindex`.", soft_wrap=True)
        raise typer.Exit(1) from error


def _print_summary(restored: Restored) -> None:
    manifest = restored.manifest
    rows = manifest.rows.get("deskhand.db", {})
    console.print(
        f"Restored the desk of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{rows.get('conversations', 0)} conversations, {rows.get('messages', 0)} messages.",
        soft_wrap=True,
    )
    if restored.aside:
        console.print(f"The replaced data is in {restored.aside}: delete it when all is well.", soft_wrap=True)
