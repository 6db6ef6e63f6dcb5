"""A data folder's truth without a desk around it: real schema, and one mark in every part to know its state by."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from storage.database.data_folder import rows_in_use
from storage.database.engine import open_database
from storage.settings import Settings

WORKSPACE = "INSERT INTO workspaces (id, name, settings, created_at) VALUES (?, ?, '{}', '2026-01-01 00:00:00')"


async def make_template(folder: Path) -> Path:
    """Rows at the newest schema, to copy from."""
    database = open_database(f"sqlite+aiosqlite:///{folder / 'deskhand.db'}")
    await database.upgrade()
    await database.close()
    return folder / "deskhand.db"


def make_rows(data_dir: Path, template: Path, mark: str) -> None:
    """A data folder whose every part says `mark`."""
    (data_dir / "chroma").mkdir(parents=True)
    (data_dir / "chroma" / "mark").write_text(mark)
    (data_dir / "secret").write_text(mark)
    shutil.copy(template, data_dir / "deskhand.db")
    with closing(sqlite3.connect(data_dir / "deskhand.db")) as rows, rows:
        rows.execute(WORKSPACE, (mark, mark))
    with closing(sqlite3.connect(data_dir / "checkpoints.db")) as checkpoints, checkpoints:
        checkpoints.execute("PRAGMA journal_mode=WAL")
        checkpoints.execute("CREATE TABLE checkpoints (mark)")
        checkpoints.execute("INSERT INTO checkpoints VALUES (?)", (mark,))


def marks(settings: Settings) -> list[str]:
    """What rows, checkpoints and secret say, to whoever opens the folder."""
    with rows_in_use(settings):
        return [
            *select(settings.data_dir / "deskhand.db", "SELECT id FROM workspaces"),
            *select(settings.data_dir / "checkpoints.db", "SELECT mark FROM checkpoints"),
            (settings.data_dir / "secret").read_text(),
        ]


def select(path: Path, query: str) -> list[str]:
    """The first column of a query."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(query)]


def content(folder: Path) -> dict[str, bytes]:
    """Every file in a folder but the locks."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
