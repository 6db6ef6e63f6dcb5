"""Reference counting over processes: a server that the first test process starts, all use, and the last one stops."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest


def run_folder(factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all processes of this run see; each of xdist's workers has its own inside it."""
    own = factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@contextmanager
def shared_service(place: Path, start: Callable[[Path], str], stop: Callable[[Path, str], None]) -> Iterator[str]:
    """The address that `start` gave; `stop` gets it back when nobody uses the service any more.

    A user holds a shared lock, which the operating system releases even when a process is killed.
    """
    place.mkdir(exist_ok=True)
    address, folder = place / "address", _outside(place)
    with (place / "gate").open("w") as gate, (place / "users").open("w") as users:
        with _locked(gate):
            if not address.exists():
                folder.mkdir(exist_ok=True)
                address.write_text(start(folder / "data"))
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield address.read_text()
        finally:
            with _locked(gate):
                if _is_last(users):
                    stop(folder / "data", address.read_text())
                    address.unlink()
                    shutil.rmtree(folder, ignore_errors=True)


def _outside(place: Path) -> Path:
    """Not below pytest's own folder: every start of pytest closes that to others, and PostgreSQL is not run by root."""
    return Path(tempfile.gettempdir()) / f"deskhand-{place.name}-{os.getuid()}-{place.parent.name}"


@contextmanager
def _locked(file: TextIO) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _is_last(users: TextIO) -> bool:
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
