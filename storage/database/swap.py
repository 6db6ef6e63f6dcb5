"""Write-ahead swap of the data folder's rows: a journal is written first, and whoever opens the folder next ends it.

The data folder may be a mount point, so it is never renamed itself: the new parts are staged inside it, and what they
replace moves into another folder inside it. Before the journal is there the old state is whole; after it, the new one
is, because every step can be repeated.
"""

import os
import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict

JOURNAL = "replacement.json"
SIDE_FILES = ("deskhand.db-wal", "deskhand.db-shm", "checkpoints.db-wal", "checkpoints.db-shm")
REPLACED = (*SIDE_FILES, "chroma", "secret", "checkpoints.db", "deskhand.db")
"""What belongs to one state of the rows. SQLite's side files go first: they must never meet another database."""


class DataSwap(BaseModel):
    """What is on its way; `staged` and `aside` are names of folders in the data folder."""

    model_config = ConfigDict(frozen=True)

    staged: str
    """Holds the new parts by their names."""
    parts: tuple[str, ...]
    """The names of the new parts; what belongs to the rows and is not among them moves aside all the same."""
    aside: str
    """Gets the old parts."""
    keep: bool
    """Whether the old parts stay there."""


def begin(data_dir: Path, replacement: DataSwap) -> None:
    """Write the journal: from now on the new parts are the truth."""
    for part in replacement.parts:
        sync(data_dir / replacement.staged / part)
    sync(data_dir / replacement.staged)
    draft = data_dir / f"{JOURNAL}.new"
    draft.write_text(replacement.model_dump_json(), encoding="utf-8")
    sync(draft)
    draft.replace(data_dir / JOURNAL)
    sync(data_dir)


def is_begun(data_dir: Path) -> bool:
    """Whether a replacement waits to be ended."""
    return (data_dir / JOURNAL).exists()


def finish(data_dir: Path) -> None:
    """Put the new parts in place; does nothing without a journal, and goes on where an earlier try was cut off."""
    if not is_begun(data_dir):
        return
    replacement = DataSwap.model_validate_json((data_dir / JOURNAL).read_text(encoding="utf-8"))
    staged, aside = data_dir / replacement.staged, data_dir / replacement.aside
    aside.mkdir(mode=0o700, exist_ok=True)
    for name in REPLACED:
        if name in replacement.parts:
            _exchange(data_dir / name, staged / name, aside / name)
        elif not (aside / name).exists():
            _move(data_dir / name, aside / name)
    sync(data_dir)
    if not replacement.keep or not any(aside.iterdir()):
        shutil.rmtree(aside)
    shutil.rmtree(staged, ignore_errors=True)
    (data_dir / JOURNAL).unlink()
    sync(data_dir)


def _exchange(place: Path, new: Path, old: Path) -> None:
    """Without the new part an earlier try has put it in place already."""
    if new.exists():
        _move(place, old)
        new.rename(place)


def _move(source: Path, target: Path) -> None:
    if source.exists():
        source.rename(target)


def sync(path: Path) -> None:
    """Durable when this returns: a file's content, or a folder's entries."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
