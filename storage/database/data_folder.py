"""The data folder: closed to other users of the machine, and its file locks: one running desk, a restore only alone.

The operating system holds the locks for as long as the process lives: a killed desk leaves none behind. On PostgreSQL
nothing is locked.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.database import swap
from storage.errors import SettingsError, UnavailableError
from storage.settings import Settings

DESK_LOCK = "desk.lock"
ROWS_LOCK = "rows.lock"
OWNER_ONLY = 0o077
"""The permissions that nobody but the owner may have."""
PRIVATE_FILES = ("deskhand.db*", "checkpoints.db*", "secret")


@contextmanager
def running_desk(settings: Settings) -> Iterator[None]:
    """For the one process that works on these rows. Raises UnavailableError if another one does."""
    if not is_embedded(settings):
        yield
        return
    busy = f"a desk runs on the data folder {settings.data_dir} already: stop it, or name another one in `data_dir`"
    with locked(settings.data_dir / DESK_LOCK, fcntl.LOCK_EX, busy):
        yield


@contextmanager
def rows_in_use(settings: Settings) -> Iterator[None]:
    """For everything that opens the rows; ends a restore that was cut off. Raises UnavailableError during one."""
    if not is_embedded(settings):
        yield
        return
    if swap.is_begun(settings.data_dir):
        with rows_alone(settings):
            swap.finish(settings.data_dir)
    busy = f"the data folder {settings.data_dir} is being restored: try again when that has ended"
    with locked(settings.data_dir / ROWS_LOCK, fcntl.LOCK_SH, busy):
        if swap.is_begun(settings.data_dir):
            # Begun and cut off between the two looks.
            raise UnavailableError(busy)
        yield


@contextmanager
def rows_alone(settings: Settings) -> Iterator[None]:
    """For what replaces the rows. Raises UnavailableError while anything has them open."""
    busy = f"a desk or a command is using the data folder {settings.data_dir}: stop it first"
    with locked(settings.data_dir / ROWS_LOCK, fcntl.LOCK_EX, busy):
        yield


def check_data_dir(path: Path) -> None:
    """Raise SettingsError, which says what to do, unless files can be written there."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close_to_others(path)
        probe = path / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"the data folder {path} cannot be written ({error.strerror}): "
            "make it writable, or name another one in `data_dir` or DESKHAND_DATA_DIR"
        ) from error


def create_private(path: Path) -> None:
    """A file of the owner's alone, empty if there was none; SQLite gives its side files the same permissions."""
    if path.exists():
        _take_from_others(path)
    else:
        path.touch(mode=0o600)


def _close_to_others(folder: Path) -> None:
    """Tighten what an earlier version, or somebody's umask, left open."""
    _take_from_others(folder)
    for pattern in PRIVATE_FILES:
        for path in folder.glob(pattern):
            _take_from_others(path)


def _take_from_others(path: Path) -> None:
    mode = path.stat().st_mode
    if mode & OWNER_ONLY:
        # A mounted volume may belong to another user, or be read-only: who mounts it has to see to it.
        with suppress(OSError):
            path.chmod(mode & ~OWNER_ONLY & 0o7777)


def is_embedded(settings: Settings) -> bool:
    """Whether the rows are in a file."""
    return settings.database_url.startswith("sqlite")


@contextmanager
def locked(path: Path, kind: int, busy: str) -> Iterator[None]:
    """Hold a file's lock of this kind (fcntl's) for the block. Raises UnavailableError, which says `busy`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UnavailableError(busy) from error
        yield
    finally:
        os.close(handle)
