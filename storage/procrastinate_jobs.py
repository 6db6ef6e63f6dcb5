"""The queue of many processes: Procrastinate's jobs in our PostgreSQL.

A job that is due carries the lock of its lane, and Procrastinate runs one job of a lock at a time. One that is not due
carries none, since the library lets even a waiting job of a lock keep the later ones back; it takes its lane when its
time has come. What is to be done again is enqueued anew rather than retried by the library, whose retry fails when the
same job has been enqueued meanwhile.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import cast

import structlog
from procrastinate import App, JobContext
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.worker import Worker
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from storage import audit
from storage.attempts import Again, GivenUp, Retries, attempt
from storage.database import Database
from storage.jobs import LONG, Handlers, Job, JobKind, Queue
from storage.periodic import DAY, HOUR, Chore
from storage.procrastinate_alarms import Alarms
from storage.procrastinate_connector import PatientConnector
from storage.procrastinate_keeper import Keeper
from storage.procrastinate_table import TASK, JobTable
from storage.settings import JobsSettings
from storage.tables import conversations

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
"""How often a worker looks for jobs of which no notification has come."""
RESTART_SECONDS = 1.0
TRIES = 5
"""A waiting job may be fetched between two looks at it, but not time and again."""
DECISIONS_FIRST = 1


class GivenUpError(Exception):
    """Every try at a job has failed; Procrastinate keeps it as `failed` for some days."""


@dataclass(frozen=True, slots=True)
class Running:
    """A job that this process is at."""

    row_id: int
    is_long: bool


class ProcrastinateJobs:
    """Enqueues for every process and, once started, works on the jobs of some queues in this one."""

    def __init__(self, database: Database, settings: JobsSettings) -> None:
        self._database = database
        self._settings = settings
        self._retries = Retries(settings.max_attempts, settings.retry_seconds)
        self._connector = PatientConnector(database.conninfo)
        self._app = App(connector=self._connector)
        self._task = self._app.task(self._work, name=TASK, pass_context=True, queue=Queue.DESK)
        self._table = JobTable(self._connector)
        self._alarms = Alarms(self._table.wake)
        self._queues: tuple[Queue, ...] = ()
        self._handlers: Handlers | None = None
        self._worker: Worker | None = None
        self._keeper: Keeper | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._running: dict[asyncio.Task[None], Running] = {}
        self._stopping = False

    async def open(self) -> None:
        """Connect; call it before anything else."""
        await self._app.open_async()

    async def close(self) -> None:
        """Let go of the connections; `stop` comes first."""
        self._connector.hurry()
        await self._alarms.close()
        await self._app.close_async()

    async def enqueue(self, job: Job, *, due: datetime | None = None) -> None:
        """Take a job. When the database is away the rows keep it, and a worker finds it there."""
        try:
            await self.put(job, due)
        except (ConnectorException, DBAPIError) as error:
            log.warning("a job is left to its rows", kind=job.kind, id=job.id, reason=str(error.__cause__ or error))

    async def put(self, job: Job, due: datetime | None = None) -> None:
        """Enqueue a job, or bring the same one forward that waits already. Raises ConnectorException, DBAPIError."""
        queue = await self._queue_of(job)
        if queue is None:
            return
        later = due if due is not None and due > audit.now() else None
        deferrer = self._task.configure(
            queue=queue,
            lock=None if later else lock_of(job),
            queueing_lock=queueing_lock_of(job),
            schedule_at=later,
            priority=DECISIONS_FIRST if job.kind is JobKind.RESUME else 0,
        )
        for _ in range(TRIES):
            try:
                await deferrer.defer_async(kind=str(job.kind), id=job.id, lane=job.lane, attempt=job.attempt)
                break
            except AlreadyEnqueued:
                if await self._table.bring_forward(queueing_lock_of(job), later):
                    break
        if later:
            self._alarms.set(queue, later)

    async def restore(self, jobs: Sequence[Job]) -> int:
        """Enqueue those that neither wait nor run; gives how many."""
        known = await self._table.known([queueing_lock_of(job) for job in jobs])
        missing = [job for job in jobs if queueing_lock_of(job) not in known]
        for job in missing:
            await self.put(job)
        return len(missing)

    def start(
        self, handlers: Handlers, *, queues: Collection[Queue] | None = None, chores: Sequence[Chore] = ()
    ) -> None:
        """Begin to work on these queues; None: on all of them."""
        self._handlers = handlers
        self._queues = tuple(queues if queues is not None else Queue)
        if Queue.DESK in self._queues:
            for chore in (*chores, Chore("prune-jobs", HOUR, self._prune)):
                self._register(chore)
        self._keeper = Keeper(self, self._database, self._settings, handlers)
        self._tasks = [asyncio.create_task(self._keep_working()), asyncio.create_task(self._keeper.run())]

    async def idle(self) -> None:
        """Return when no job of this process's queues waits or runs any more."""
        if self._keeper is not None:
            await self._keeper.began.wait()
        while self._queues and await self._table.is_busy(self._queues):  # noqa: ASYNC110 - other processes' work gives no event
            await asyncio.sleep(POLL_SECONDS / 50)

    async def stop(self, grace_seconds: float = 3.0) -> None:
        """Fetch nothing more and let what runs end within the grace; what is cut off is enqueued again."""
        self._stopping = True
        if self._worker is not None:
            self._worker.stop()
        running = list(self._running)
        self._cut_off(long_only=True)
        if running:
            await asyncio.wait(running, timeout=grace_seconds)
        self._connector.hurry()
        self._cut_off(long_only=False)
        working, *others = self._tasks or [None]
        for task in others:
            task.cancel()
        await asyncio.gather(*filter(None, [working, *others]), return_exceptions=True)
        self._tasks = []

    @property
    def table(self) -> JobTable:
        """The library's table of jobs."""
        return self._table

    @property
    def app(self) -> App:
        """The library's application."""
        return self._app

    @property
    def queues(self) -> tuple[Queue, ...]:
        """What this process works on."""
        return self._queues

    @property
    def worker_id(self) -> int | None:
        """The library's number of this process's worker while it works."""
        return self._worker.worker_id if self._worker else None

    @property
    def running(self) -> list[int]:
        """The rows of the jobs that this process is at."""
        return [running.row_id for running in self._running.values()]

    async def _keep_working(self) -> None:
        """Run a worker; start it again when the database was away for longer than its connector is patient."""
        while not self._stopping:
            self._worker = self._new_worker()
            try:
                await self._worker.run()
            except ConnectorException as error:
                log.warning("the worker lost its database and starts again", reason=str(error.__cause__ or error))
            if not self._stopping:
                await asyncio.sleep(RESTART_SECONDS)

    def _new_worker(self) -> Worker:
        silent = self._settings.silent_seconds
        return Worker(
            self._app,
            queues=[queue.value for queue in self._queues],
            concurrency=self._settings.concurrency,
            install_signal_handlers=False,
            delete_jobs="successful",
            fetch_job_polling_interval=POLL_SECONDS,
            abort_job_polling_interval=HOUR,
            update_heartbeat_interval=silent / 4,
            stalled_worker_timeout=2 * silent,
        )

    async def _work(self, context: JobContext, *, kind: str, id: str, lane: str, attempt: int) -> None:  # noqa: A002 - the job's own words
        job = Job(JobKind(kind), id, lane, attempt)
        with self._noted(context, is_long=job.kind in LONG) as row_id:
            try:
                if context.job.lock or await self._table.take_lane(row_id, lock_of(job)):
                    await self._do(job)
                else:
                    await self.put(job)
            except asyncio.CancelledError:
                await self.put(job)

    @contextmanager
    def _noted(self, context: JobContext, *, is_long: bool) -> Iterator[int]:
        """Keep in mind what this process is at; gives the row's id."""
        row_id, task = cast("int", context.job.id), cast("asyncio.Task[None]", asyncio.current_task())
        self._running[task] = Running(row_id, is_long)
        try:
            yield row_id
        finally:
            del self._running[task]

    async def _do(self, job: Job) -> None:
        if self._handlers is None:
            return
        match await attempt(job, self._handlers, self._retries):
            case Again(again, due):
                await self.put(again, due)
            case GivenUp(reason):
                raise GivenUpError(reason)

    def _cut_off(self, *, long_only: bool) -> None:
        for task, running in self._running.items():
            if running.is_long or not long_only:
                task.cancel()

    def _register(self, chore: Chore) -> None:
        name = f"chore {chore.name}"
        task = self._app.task(
            partial(self._do_chore, chore),
            name=name,
            pass_context=True,
            queue=Queue.DESK,
            lock=name,
            queueing_lock=name,
        )
        self._app.periodic(cron=chore.cron())(task)

    async def _do_chore(self, chore: Chore, context: JobContext, timestamp: int) -> None:  # noqa: ARG002 - the library's
        with self._noted(context, is_long=True), suppress(asyncio.CancelledError):
            await chore.do()

    async def _prune(self) -> None:
        hours = self._settings.keep_failed_days * DAY // HOUR
        await self._app.job_manager.delete_old_jobs(
            nb_hours=hours, include_failed=True, include_cancelled=True, include_aborted=True
        )

    async def _queue_of(self, job: Job) -> Queue | None:
        """Deliveries wait with whoever holds their channel's connection; None: the conversation is gone."""
        if job.kind is not JobKind.DELIVER:
            return Queue.DESK
        query = select(conversations.c.channel).where(conversations.c.id == job.id)
        async with self._database.read() as connection:
            channel = (await connection.execute(query)).scalar_one_or_none()
        return None if channel is None else Queue(f"deliver-{channel}")


def lock_of(job: Job) -> str:
    """Turns and decisions of a conversation take turns; neither its deliveries nor its summary hold them up."""
    if job.kind in (JobKind.DELIVER, JobKind.SUMMARISE):
        return f"{job.kind} {job.lane}"
    return job.lane


def queueing_lock_of(job: Job) -> str:
    """The same job waits once."""
    return f"{job.kind} {job.id}"
