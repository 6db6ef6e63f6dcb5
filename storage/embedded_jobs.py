"""The queue of one process: jobs in memory, a lane per conversation, recovered from the rows at start."""

import asyncio
import heapq
import itertools
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from storage import audit
from storage.attempts import Again, Retries, attempt
from storage.database import Database
from storage.jobs import LONG, Handlers, Job, Queue
from storage.periodic import Chore
from storage.unfinished import Rounds, unfinished

log = structlog.get_logger(__name__)


class EmbeddedJobs:
    """Runs the jobs in this process: a lane per conversation, a bounded number of lanes at work, served in turn."""

    def __init__(
        self,
        *,
        concurrency: int = 8,
        max_attempts: int = 5,
        retry_seconds: float = 1.0,
        recover_from: Database | None = None,
        reconcile_seconds: int = 20,
    ) -> None:
        """`recover_from`: the rows that say what is unfinished, at the start and every `reconcile_seconds`."""
        self._slots = asyncio.Semaphore(concurrency)
        self._retries = Retries(max_attempts, retry_seconds)
        self._database = recover_from
        self._reconcile_every = timedelta(seconds=reconcile_seconds)
        self._lanes: dict[str, _Lane] = {}
        self._handlers: Handlers | None = None
        self._recovery: asyncio.Task[None] | None = None
        self._chores: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Jobs that wait or run."""
        return sum(lane.size for lane in self._lanes.values())

    def start(
        self,
        handlers: Handlers,
        *,
        queues: Collection[Queue] | None = None,  # noqa: ARG002 - one process does everything
        chores: Sequence[Chore] = (),
    ) -> None:
        """Begin to work; jobs enqueued earlier are done now."""
        self._handlers = handlers
        for name in list(self._lanes):
            self._run(name)
        if self._database is not None:
            self._recovery = asyncio.create_task(self._recover(self._database))
            self._besides(self._reconcile(Rounds(self._database), self._recovery))
        for chore in chores:
            self._besides(chore.repeat())

    async def enqueue(self, job: Job, *, due: datetime | None = None) -> None:
        """Take a job; the same one that still waits is not taken twice."""
        if self._stopping:
            return  # the rows keep it for the next start
        self._put(job, due or audit.now())

    async def idle(self) -> None:
        """Return when nothing waits or runs any more."""
        if self._recovery is not None:
            await asyncio.wait([self._recovery])
        while tasks := [lane.task for lane in self._lanes.values() if lane.task]:
            await asyncio.wait(tasks)

    async def stop(self, grace_seconds: float = 3.0) -> None:
        """Let what runs end within the grace; what is cut off runs again from its rows at the next start."""
        self._stopping = True
        tasks = [lane.task for lane in self._lanes.values() if lane.task]
        for lane in self._lanes.values():
            if lane.task and (lane.running is None or lane.running.kind in LONG):
                lane.task.cancel()
        beside = [*self._chores, *([self._recovery] if self._recovery else [])]
        for task in beside:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=grace_seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *beside, return_exceptions=True)
        self._lanes.clear()

    def _besides(self, work: Coroutine[None, None, None]) -> None:
        self._chores.append(asyncio.create_task(work))

    async def _recover(self, database: Database) -> None:
        for job in await unfinished(database):
            self._restore(job)

    async def _reconcile(self, rounds: Rounds, recovery: asyncio.Task[None]) -> None:
        """Find what was committed but never enqueued, because its request was cut off in between."""
        await asyncio.wait([recovery])
        while True:
            await asyncio.sleep(self._reconcile_every.total_seconds())
            try:
                for job in await rounds.next(self._reconcile_every):
                    self._restore(job)
            except Exception:
                log.exception("reconciling failed")

    def _restore(self, job: Job) -> None:
        lane = self._lanes.get(job.lane)
        if not self._stopping and (lane is None or not lane.knows(job)):
            self._put(job, audit.now())

    def _put(self, job: Job, due: datetime) -> None:
        lane = self._lanes.get(job.lane)
        if lane is None:
            lane = self._lanes[job.lane] = _Lane()
        lane.put(job, due)
        self._run(job.lane)

    def _run(self, name: str) -> None:
        lane = self._lanes[name]
        if self._handlers is not None and lane.task is None:
            lane.task = asyncio.create_task(self._drain(name, lane, self._handlers), name=f"lane {name}")

    async def _drain(self, name: str, lane: "_Lane", handlers: Handlers) -> None:
        while not self._stopping and (job := await lane.next()):
            async with self._slots:
                lane.running = job
                try:
                    outcome = await attempt(job, handlers, self._retries)
                finally:
                    lane.running = None
            if isinstance(outcome, Again):
                lane.put(outcome.job, outcome.due)
        if self._lanes.get(name) is lane:
            del self._lanes[name]


class _Lane:
    """The jobs of one conversation, the earliest due first."""

    def __init__(self) -> None:
        self.running: Job | None = None
        self.task: asyncio.Task[None] | None = None
        self._heap: list[tuple[datetime, int, Job]] = []
        self._counter = itertools.count()
        self._arrival = asyncio.Event()

    @property
    def size(self) -> int:
        return len(self._heap) + (self.running is not None)

    def knows(self, job: Job) -> bool:
        """Whether the same job waits or runs."""
        waiting = [entry[2] for entry in self._heap]
        return any(_same(job, other) for other in (*waiting, self.running) if other)

    def put(self, job: Job, due: datetime) -> None:
        known = [entry for entry in self._heap if _same(entry[2], job)]
        if known and known[0][0] <= due:
            return
        for entry in known:
            self._heap.remove(entry)
            # What brings it forward does not undo its failed tries.
            job = replace(job, attempt=max(job.attempt, entry[2].attempt))
        heapq.heapify(self._heap)
        heapq.heappush(self._heap, (due, next(self._counter), job))
        self._arrival.set()

    async def next(self) -> Job | None:
        """The next job when it is due; None when the lane is empty."""
        while self._heap:
            pause = (self._heap[0][0] - audit.now()).total_seconds()
            if pause <= 0:
                return heapq.heappop(self._heap)[2]
            self._arrival.clear()
            try:
                await asyncio.wait_for(self._arrival.wait(), pause)
            except TimeoutError:
                continue
        return None


def _same(one: Job, other: Job) -> bool:
    return (one.kind, one.id) == (other.kind, other.id)
