"""A process that SIGKILLs itself before the nth change that a backup or a restore makes to the disk, for every n.

Run as `python -m tests.contract.operations.dying_backup backup|restore FOLDER TEMPLATE BACKUP`. It
leaves FOLDER/n/ for every n.
"""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from storage.operations.backup import back_up
from storage.operations.restore import restore
from storage.settings import Settings
from tests.support.embedded_rows import make_rows

CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree")
MOST = 60


def die_at(step: int) -> None:
    """From now on this process has so many changes to live."""
    done = 0

    def count(event: str, args: tuple[Any, ...]) -> None:
        nonlocal done
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        if event in CHANGES or writes:
            done += 1
            if done > step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def live(act: str, folder: Path, backup: Path) -> None:
    """A backup of `new` over one of `old`, or a restore of `new` over `old`."""
    settings = Settings(data_dir=folder / "data")
    if act == "backup":
        back_up(settings, folder / "backup.tar.gz", force=True)
    else:
        asyncio.run(restore(settings, backup))


def prepare(act: str, folder: Path, template: Path) -> None:
    """What is there before."""
    make_rows(folder / "data", template, "old")
    if act == "backup":
        back_up(Settings(data_dir=folder / "data"), folder / "backup.tar.gz")
        shutil.rmtree(folder / "data")
        make_rows(folder / "data", template, "new")


def main(act: str, target: Path, template: Path, backup: Path) -> None:
    """One forked child per step, until one comes to its end."""
    for step in range(MOST):
        folder = target / str(step)
        prepare(act, folder, template)
        child = os.fork()
        if child == 0:
            die_at(step)
            live(act, folder, backup)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            if os.WEXITSTATUS(status):
                raise SystemExit("the child failed by itself")
            return
    raise SystemExit(f"not at its end after {MOST} steps")


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
