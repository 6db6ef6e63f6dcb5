"""The queue of one process: the most urgent jobs in memory, all of them in the rows, recovered from there."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from storage import clock
from storage.backoff import RetryPolicy
from storage.database.engine import Database
from storage.queue.embedded.priority_queue import KeyedPriorityQueue
from storage.queue.embedded.refill import QueueRefill
from storage.queue.embedded.runner import JobRunner
from storage.queue.jobs import Handlers, Job, Queue
from storage.queue.periodic import PeriodicTask

MAX_KEYS = 200
"""Conversations in memory; a look at the rows for the next ones costs a few milliseconds."""


class EmbeddedJobs:
    """Runs the jobs in this process: one at a time per key, a bounded number of keys at work, served by rank."""

    def __init__(
        self,
        *,
        concurrency: int = 8,
        max_attempts: int = 5,
        retry_seconds: float = 1.0,
        recover_from: Database | None = None,
        reconcile_seconds: int = 20,
        max_keys: int = MAX_KEYS,
    ) -> None:
        """`recover_from`: the rows that say what is unfinished, at the start and every `reconcile_seconds`.

        With them no more than `max_keys` keys are held in memory.
        """
        self._queue = KeyedPriorityQueue(max_keys if recover_from else None, max(1, concurrency // 2))
        self._runner = JobRunner(self._queue, concurrency, RetryPolicy(max_attempts, retry_seconds), self._changed)
        self._refill = QueueRefill(recover_from, self._queue, max_keys, self._runner.dispatch) if recover_from else None
        self._reconcile_every = timedelta(seconds=reconcile_seconds)
        self._background: list[asyncio.Task[None]] = []
        self._idle = asyncio.Event()
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Jobs in memory that wait or run."""
        return self._queue.size

    @property
    def is_working(self) -> bool:
        """Whether jobs are taken."""
        return self._runner.is_working

    def start(
        self,
        handlers: Handlers,
        *,
        queues: Collection[Queue] | None = None,  # noqa: ARG002 - one process does everything
        periodic_tasks: Sequence[PeriodicTask] = (),
    ) -> None:
        """Begin to work; jobs enqueued earlier are done now."""
        work = [task.repeat() for task in periodic_tasks]
        if self._refill is not None:
            work += [self._refill.keep_full(), self._refill.reconcile(self._reconcile_every)]
        self._background = [asyncio.create_task(each) for each in work]
        self._runner.start(handlers)

    async def enqueue(self, job: Job, *, due: datetime | None = None) -> None:
        """Take a job; the same one that still waits is not taken twice."""
        if not self._stopping:  # else the rows keep it for the next start
            self._queue.put(job, due or clock.now())
            self._runner.dispatch()

    async def idle(self) -> None:
        """Return when nothing waits or runs any more."""
        if self._runner.is_working:
            await self._idle.wait()

    async def stop(self, grace_seconds: float = 3.0) -> None:
        """Let what runs end within the grace; what is cut off runs again from its rows at the next start."""
        self._stopping = True
        for task in self._background:
            task.cancel()
        await self._runner.stop(grace_seconds)
        await asyncio.gather(*self._background, return_exceptions=True)
        self._queue.clear()
        self._idle.set()

    def _changed(self) -> None:
        """Jobs have come, begun or ended: fetch more if there is room, and say whether there is anything to do."""
        is_behind = self._refill is not None and self._refill.is_behind
        if self._refill is not None:
            self._refill.notice_room()
        if is_behind or len(self._queue):
            self._idle.clear()
        else:
            self._idle.set()
