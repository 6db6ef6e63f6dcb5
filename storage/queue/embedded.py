"""The queue of one process: the most urgent jobs in memory, all of them in the rows, recovered from there."""

import asyncio
import contextlib
from collections.abc import Collection, Coroutine, Sequence
from datetime import datetime, timedelta

import structlog

from storage import clock
from storage.backoff import RetryPolicy
from storage.database.engine import Database
from storage.queue.jobs import (
    LONG,
    Handlers,
    Job,
    Queue,
)
from storage.queue.keyed_heap import KeyedPriorityQueue
from storage.queue.periodic import PeriodicTask
from storage.queue.recovery import RecoveryScan, most_urgent
from storage.queue.retries import (
    DeadLettered,
    Retry,
    attempt,
)

log = structlog.get_logger(__name__)

Outcome = Retry | DeadLettered | None
MAX_KEYS = 200
"""Conversations in memory; a look at the rows for the next ones costs a few milliseconds."""
BREATH_SECONDS = 0.1
"""Between two looks at the least: who is done with a job sooner than its rows tell must not make them a loop."""
LOOK_SECONDS = 2.0
"""How often the rows are looked at while they hold more than fits into memory: something may have become due."""


class EmbeddedJobs:
    """Runs the jobs in this process: a key per conversation, a bounded number of keys at work, served by rank."""

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
        self._concurrency = concurrency
        self._retries = RetryPolicy(max_attempts, retry_seconds)
        self._database = recover_from
        self._reconcile_every = timedelta(seconds=reconcile_seconds)
        self._max_keys = max_keys
        self._queue = KeyedPriorityQueue(max_keys if recover_from else None, max(1, concurrency // 2))
        self._handlers: Handlers | None = None
        self._running: dict[asyncio.Task[Outcome], Job] = {}
        self._beside: list[asyncio.Task[None]] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._in_rows_alone = recover_from is not None
        """The rows hold jobs that have not been seen, or may hold some."""
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Jobs in memory that wait or run."""
        return self._queue.size

    @property
    def is_working(self) -> bool:
        """Whether jobs are taken."""
        return self._handlers is not None and not self._stopping

    def start(
        self,
        handlers: Handlers,
        *,
        queues: Collection[Queue] | None = None,  # noqa: ARG002 - one process does everything
        periodic_tasks: Sequence[PeriodicTask] = (),
    ) -> None:
        """Begin to work; jobs enqueued earlier are done now."""
        self._handlers = handlers
        if self._database is not None:
            self._besides(self._recover(self._database))
            self._besides(self._reconcile(RecoveryScan(self._database)))
        for chore in periodic_tasks:
            self._besides(chore.repeat())
        self._pump()

    async def enqueue(self, job: Job, *, due: datetime | None = None) -> None:
        """Take a job; the same one that still waits is not taken twice."""
        if not self._stopping:  # else the rows keep it for the next start
            self._queue.put(job, due or clock.now())
            self._pump()

    async def idle(self) -> None:
        """Return when nothing waits or runs any more."""
        if self._handlers is not None and not self._stopping:
            await self._idle.wait()

    async def stop(self, grace_seconds: float = 3.0) -> None:
        """Let what runs end within the grace; what is cut off runs again from its rows at the next start."""
        self._stopping = True
        self._set_alarm(None)
        for task in self._beside:
            task.cancel()
        running = dict(self._running)
        for working, job in running.items():
            if job.kind in LONG:
                working.cancel()
        if running:
            await asyncio.wait(running, timeout=grace_seconds)
        for working in running:
            working.cancel()
        await asyncio.gather(*running, *self._beside, return_exceptions=True)
        self._queue.clear()
        self._idle.set()

    def _besides(self, work: Coroutine[None, None, None]) -> None:
        self._beside.append(asyncio.create_task(work))

    def _pump(self) -> None:
        """Start what may run now, and come back when the next job is due."""
        if self._handlers is None or self._stopping:
            return
        self._set_alarm(None)
        while len(self._running) < self._concurrency:
            found = self._queue.take(clock.now())
            if not isinstance(found, Job):
                self._set_alarm(found)
                break
            task = asyncio.create_task(attempt(found, self._handlers, self._retries), name=f"{found.kind} {found.id}")
            self._running[task] = found
            task.add_done_callback(self._ended)
        if self._wants_more and self._queue.has_room:
            self._news.set()
        if self._wants_more or len(self._queue):
            self._idle.clear()
        else:
            self._idle.set()

    def _ended(self, task: asyncio.Task[Outcome]) -> None:
        job = self._running.pop(task)
        self._queue.end(job)
        if not task.cancelled() and isinstance(again := task.result(), Retry):
            self._queue.put(again.job, again.due)
        self._queue.tidy(job.key)
        self._pump()

    def _set_alarm(self, due: datetime | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if due is not None:
            pause = max(0.0, (due - clock.now()).total_seconds())
            self._alarm = asyncio.get_running_loop().call_later(pause, self._pump)

    @property
    def _wants_more(self) -> bool:
        """Something waits in the rows alone."""
        return self._in_rows_alone or self._queue.has_dropped

    async def _recover(self, database: Database) -> None:
        """Fetch from the rows what fits into memory: at the start, and whenever there is room for what did not fit."""
        while True:
            self._queue.has_dropped = False
            try:
                found = await most_urgent(database, self._max_keys)
            except Exception:
                log.exception("the queue's rows could not be read")
                self._in_rows_alone = True
            else:
                self._in_rows_alone = not found.complete
                self._restore(found.jobs)
            await self._until_there_is_room()

    async def _until_there_is_room(self) -> None:
        await asyncio.sleep(BREATH_SECONDS)
        self._news.clear()
        while not self._wants_more:
            await self._news.wait()
            self._news.clear()
        if not self._queue.has_room:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_SECONDS)

    async def _reconcile(self, rounds: RecoveryScan) -> None:
        """Find what was committed but never enqueued, because its request was cut off in between."""
        while True:
            await asyncio.sleep(self._reconcile_every.total_seconds())
            try:
                self._restore(await rounds.next(self._reconcile_every))
            except Exception:
                log.exception("reconciling failed")

    def _restore(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if not self._queue.knows(job):
                self._queue.put(job, clock.now())
        self._pump()
