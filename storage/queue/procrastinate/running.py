"""The jobs that run in this process, so that they can be told from abandoned ones and cut off at the end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from procrastinate import JobContext


@dataclass(slots=True)
class Running:
    """One of them."""

    row_id: int
    is_long: bool
    is_cut_off: bool = False


class RunningJobs:
    """Keeps the asyncio task of each job while it runs."""

    def __init__(self) -> None:
        self._by_task: dict[asyncio.Task[None], Running] = {}

    @property
    def row_ids(self) -> list[int]:
        """The rows of the jobs that run."""
        return [running.row_id for running in self._by_task.values()]

    @contextmanager
    def tracked(self, context: JobContext, *, is_long: bool) -> Iterator[int]:
        """Count the current task among them while the block lasts; gives the id of its row."""
        row_id, task = cast("int", context.job.id), cast("asyncio.Task[None]", asyncio.current_task())
        self._by_task[task] = Running(row_id, is_long)
        try:
            yield row_id
        finally:
            del self._by_task[task]

    def cut_off(self, *, long_only: bool) -> None:
        """Cancel them, each once."""
        for task, running in self._by_task.items():
            if not running.is_cut_off and (running.is_long or not long_only):
                running.is_cut_off = True
                task.cancel()
