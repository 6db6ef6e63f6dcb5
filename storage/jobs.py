"""The queue: what is to be done next, one job at a time per conversation, recovered from the rows at start."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import structlog
from sqlalchemy import select
from tenacity import RetryCallState, wait_exponential_jitter

from storage import audit
from storage.database import Database
from storage.statuses import DeliveryStatus, DocumentStatus, ReviewStatus, TurnStatus
from storage.tables import deliveries, documents, reviews, turns

log = structlog.get_logger(__name__)

MAX_PAUSE_SECONDS = 60.0


class JobKind(StrEnum):
    """What there is to do."""

    ANSWER = "answer"
    """Run the graph over a turn; `Job.id` is the turn's id."""
    RESUME = "resume"
    """Let a decision take effect; `Job.id` is the review's id."""
    DELIVER = "deliver"
    """Send what a conversation's outbox holds; `Job.id` is the conversation's id."""
    SUMMARISE = "summarise"
    """Fold a long conversation's older messages into its summary; `Job.id` is the conversation's id."""
    LOAD = "load"
    """Make a document findable; `Job.id` is the document's id."""


LONG = frozenset({JobKind.LOAD, JobKind.SUMMARISE})
"""What a stopping desk does not wait for: it runs again at the next start."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do; the rows are the truth, so a job that comes twice does nothing the second time."""

    kind: JobKind
    id: str
    lane: str
    """Jobs of one lane (a conversation, a document) run one after the other."""
    attempt: int = 0
    """Failed tries before this one."""


@dataclass(frozen=True, slots=True)
class Later:
    """What a handler returns when its job may not run before a certain time."""

    until: datetime


class RetryAfterError(Exception):
    """A handler's work failed for now."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        self.reason = reason
        self.seconds = seconds
        """When to try again; None: the queue's own back-off."""
        super().__init__(reason)


Handler = Callable[[Job], Awaitable[Later | None]]
LastResort = Callable[[Job, str], Awaitable[None]]


class Jobs(Protocol):
    """What intake and the desk see of the queue; the embedded runner and Procrastinate both provide it."""

    async def enqueue(self, job: Job, *, due: datetime | None = None) -> None:
        """Take a job; call it after the commit of the rows that the job is about."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """Who does each kind of job, and what happens when all tries have failed."""

    by_kind: Mapping[JobKind, Handler]
    last_resort: LastResort


class EmbeddedJobs:
    """Runs the jobs in this process: a lane per conversation, a bounded number of lanes at work, served in turn."""

    def __init__(self, *, concurrency: int = 8, max_attempts: int = 5, retry_seconds: float = 1.0) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._max_attempts = max_attempts
        self._pause = wait_exponential_jitter(multiplier=retry_seconds, max=MAX_PAUSE_SECONDS, jitter=retry_seconds / 4)
        self._lanes: dict[str, _Lane] = {}
        self._handlers: Handlers | None = None
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Jobs that wait or run."""
        return sum(lane.size for lane in self._lanes.values())

    def start(self, handlers: Handlers) -> None:
        """Begin to work; jobs enqueued earlier are done now."""
        self._handlers = handlers
        for name in list(self._lanes):
            self._run(name)

    async def enqueue(self, job: Job, *, due: datetime | None = None) -> None:
        """Take a job; the same one that still waits is not taken twice."""
        if self._stopping:
            return  # the rows keep it for the next start
        lane = self._lanes.get(job.lane)
        if lane is None:
            lane = self._lanes[job.lane] = _Lane()
        lane.put(job, due or audit.now())
        self._run(job.lane)

    async def idle(self) -> None:
        """Return when nothing waits or runs any more."""
        while tasks := [lane.task for lane in self._lanes.values() if lane.task]:
            await asyncio.wait(tasks)

    async def stop(self, grace_seconds: float = 3.0) -> None:
        """Let what runs end within the grace; what is cut off runs again from its rows at the next start."""
        self._stopping = True
        tasks = [lane.task for lane in self._lanes.values() if lane.task]
        for lane in self._lanes.values():
            if lane.task and (lane.running is None or lane.running.kind in LONG):
                lane.task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=grace_seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()

    def _run(self, name: str) -> None:
        lane = self._lanes[name]
        if self._handlers is not None and lane.task is None:
            lane.task = asyncio.create_task(self._drain(name, lane, self._handlers), name=f"lane {name}")

    async def _drain(self, name: str, lane: "_Lane", handlers: Handlers) -> None:
        while not self._stopping and (job := await lane.next()):
            async with self._slots:
                lane.running = job
                try:
                    await self._do(lane, job, handlers)
                finally:
                    lane.running = None
        if self._lanes.get(name) is lane:
            del self._lanes[name]

    async def _do(self, lane: "_Lane", job: Job, handlers: Handlers) -> None:
        try:
            later = await handlers.by_kind[job.kind](job)
        except RetryAfterError as error:
            await self._retry(lane, job, handlers, error.reason, error.seconds)
        except Exception as error:
            log.exception("job failed", kind=job.kind, id=job.id, attempt=job.attempt)
            await self._retry(lane, job, handlers, f"{type(error).__name__}", None)
        else:
            if later is not None:
                lane.put(job, later.until)

    async def _retry(self, lane: "_Lane", job: Job, handlers: Handlers, reason: str, seconds: float | None) -> None:
        if job.attempt + 1 < self._max_attempts:
            lane.put(replace(job, attempt=job.attempt + 1), audit.now() + self._wait(job, seconds))
            return
        try:
            await handlers.last_resort(job, reason)
        except Exception:
            log.exception("last resort failed", kind=job.kind, id=job.id)

    def _wait(self, job: Job, seconds: float | None) -> timedelta:
        if seconds is not None:
            return timedelta(seconds=seconds)
        state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]  # only the attempt is read
        state.attempt_number = job.attempt + 1
        return timedelta(seconds=self._pause(state))


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

    def put(self, job: Job, due: datetime) -> None:
        known = [entry for entry in self._heap if (entry[2].kind, entry[2].id) == (job.kind, job.id)]
        if known and known[0][0] <= due:
            return
        for entry in known:
            self._heap.remove(entry)
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


async def unfinished(database: Database) -> list[Job]:
    """Every job that the rows ask for: decisions first, so that an approved reply goes out before a new turn runs."""
    resume = (
        select(reviews.c.id, turns.c.conversation_id)
        .join(turns, turns.c.id == reviews.c.turn_id)
        .where(turns.c.status == TurnStatus.DECIDED, reviews.c.status == ReviewStatus.DECIDED)
        .order_by(reviews.c.version.desc())
    )
    answer = select(turns.c.id, turns.c.conversation_id).where(turns.c.status == TurnStatus.QUEUED)
    deliver = select(deliveries.c.conversation_id).where(deliveries.c.status == DeliveryStatus.PENDING).distinct()
    load = select(documents.c.id).where(documents.c.status == DocumentStatus.LOADING)
    async with database.read() as connection:
        decided: dict[str, str] = {}
        for row in await connection.execute(resume):
            decided.setdefault(row.conversation_id, row.id)
        found = [Job(JobKind.RESUME, review_id, lane) for lane, review_id in decided.items()]
        found += [Job(JobKind.DELIVER, row[0], row[0]) for row in await connection.execute(deliver)]
        found += [Job(JobKind.ANSWER, row[0], row[1]) for row in await connection.execute(answer)]
        found += [Job(JobKind.LOAD, row[0], row[0]) for row in await connection.execute(load)]
    return found
