"""Online backup of the embedded rows while the desk runs: everything that is kept and cannot be made again.

Rows and checkpoints are copied as of one and the same moment: for some milliseconds both files' write locks are held
while two reading transactions begin, and SQLite's online backup then copies what these see, however much is written
meanwhile. So a restored backup is what a power cut at that moment would have left, and the desk recovers from that
anyway. The vectors and the embedding model's graph are not in it: both are made again.
"""

import fcntl
import importlib.metadata
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from storage import clock
from storage.database.data_folder import is_embedded, locked, rows_in_use
from storage.database.swap import sync
from storage.errors import ConflictError, SettingsError, UnavailableError
from storage.operations.archive import (
    PARTS,
    ROWS,
    ArchiveProgress,
    Manifest,
    pack,
    part_of,
)
from storage.settings import Settings

LOCK_SECONDS = 60.0
"""How long the copy waits for the running desk's writer; it gets its turn between two commits."""
PAGES_PER_STEP = 4096
"""Copied between two reports of progress."""
BEING_MADE = "being made"


def back_up(settings: Settings, target: Path, *, force: bool = False, progress: ArchiveProgress | None = None) -> Path:
    """Write a backup to this file, or under the moment's name into this folder; gives the file, mode 0600.

    The file appears whole or not at all. Raises ConflictError if it is there already, unless `force` is set;
    SettingsError on PostgreSQL; UnavailableError with the reason if it cannot be made.
    """
    require_embedded(settings)
    if target.is_dir():
        target /= f"deskhand-{clock.now():%Y%m%dT%H%M%SZ}.tar.gz"
    if target.exists() and not force:
        raise ConflictError(f"{target} is there already: name another file, or add --force to replace it")
    if not settings.data_dir.is_dir():
        raise UnavailableError(f"there is no data folder {settings.data_dir}")
    try:
        with rows_in_use(settings), _staging_folder(target) as folder:
            manifest = _copy(settings.data_dir, folder, progress)
            _publish(folder, manifest, target)
    except sqlite3.Error as error:
        raise UnavailableError(f"the rows cannot be copied: {error}") from error
    except OSError as error:
        raise UnavailableError(f"{target} cannot be written: {error.strerror}") from error
    return target


def require_embedded(settings: Settings) -> None:
    """Raise SettingsError, which says what to use instead, unless the rows are in the data folder."""
    if not is_embedded(settings):
        raise SettingsError(
            "the rows are in PostgreSQL: back them up with pg_dump, bring them back with pg_restore, "
            "and make the vectors anew with `deskhand db reindex`"
        )
    if settings.database.url:
        raise SettingsError(f"only {settings.data_dir / ROWS} can be backed up: leave database.url empty")


def _copy(data_dir: Path, folder: Path, progress: ArchiveProgress | None) -> Manifest:
    databases = [data_dir / name for name in PARTS[:2] if (data_dir / name).is_file()]
    if data_dir / ROWS not in databases:
        raise UnavailableError(f"there is no desk in the data folder {data_dir}")
    with _snapshot(databases) as readers:
        made_at = clock.now()
        for path, reader in zip(databases, readers, strict=True):
            _copy_rows(reader, folder / path.name, progress)
    with suppress(FileNotFoundError):
        shutil.copyfile(data_dir / PARTS[2], folder / PARTS[2])
    names = [name for name in PARTS if (folder / name).exists()]
    with closing(sqlite3.connect(folder / ROWS)) as copy:
        revision = str(copy.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    return Manifest(
        deskhand=importlib.metadata.version("deskhand"),
        revision=revision,
        made_at=made_at,
        rows={path.name: _counts(folder / path.name) for path in databases},
        parts={name: part_of(folder / name) for name in names},
    )


@contextmanager
def _snapshot(paths: Sequence[Path]) -> Iterator[list[sqlite3.Connection]]:
    """A connection per database, all of whose reads see the same moment."""
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(_connect(path))) for path in paths]
        with ExitStack() as writing:
            for path in paths:
                writing.enter_context(closing(_connect(path))).execute("BEGIN IMMEDIATE")
            for reader in readers:
                reader.execute("BEGIN")
                # The transaction sees what is there at its first read.
                reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield readers


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=LOCK_SECONDS, isolation_level=None)


def _copy_rows(reader: sqlite3.Connection, target: Path, progress: ArchiveProgress | None) -> None:
    def report(_status: int, remaining: int, total: int) -> None:
        if progress:
            progress(total - remaining, total)

    with closing(sqlite3.connect(target)) as copy:
        reader.backup(copy, pages=PAGES_PER_STEP, progress=report)
        # One file without side files, whatever the original's mode.
        copy.execute("PRAGMA journal_mode=DELETE")
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise UnavailableError(f"{target.name} is damaged ({verdict}): restore an earlier backup")


def _counts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as copy:
        tables = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables}  # noqa: S608 - the database's own names


@contextmanager
def _staging_folder(target: Path) -> Iterator[Path]:
    """A folder beside the target for the unfinished backup, open to its owner only; killed ones' are removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}-"
    for left in target.parent.glob(f"{prefix}*"):
        with suppress(UnavailableError), locked(left / "lock", fcntl.LOCK_EX, BEING_MADE):
            shutil.rmtree(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        with locked(folder / "lock", fcntl.LOCK_EX, BEING_MADE):
            yield folder
    finally:
        shutil.rmtree(folder)


def _publish(folder: Path, manifest: Manifest, target: Path) -> None:
    draft = folder / "archive"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        pack(folder, manifest, file)
    sync(draft)
    draft.replace(target)
    sync(target.parent)
