"""Doing the jobs of Procrastinate's queues in this process.

What is to be done again is enqueued anew rather than retried by the library, whose retry fails when the same job has
been enqueued while it ran.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import structlog
from procrastinate import App, JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from storage.backoff import RetryPolicy
from storage.queue.jobs import (
    LONG,
    Handlers,
    Job,
    Queue,
)
from storage.queue.periodic import HOUR, PeriodicTask
from storage.queue.procrastinate.enqueue import Enqueuer, job_of, lock_of
from storage.queue.procrastinate.statements import TASK, JobTable
from storage.queue.retries import (
    DeadLettered,
    Retry,
    attempt,
)
from storage.settings import JobsSettings

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
"""How often a worker looks for jobs of which no notification has come."""
RESTART_SECONDS = 1.0
CUT_OFF_SECONDS = 0.1


class DeadLetteredError(Exception):
    """Every try at a job has failed; the library keeps it as `failed` for some days."""


@dataclass(slots=True)
class Running:
    """A job that this process is at."""

    row_id: int
    is_long: bool
    is_cut_off: bool = False


class QueueWorker:
    """Works on some queues until it is stopped, whatever happens to the database in between."""

    def __init__(
        self, app: App, intray: Enqueuer, settings: JobsSettings, handlers: Handlers, queues: Collection[Queue]
    ) -> None:
        self._app = app
        self._table = JobTable(app.connector)
        self._intray = intray
        self._settings = settings
        self._retries = RetryPolicy(settings.max_attempts, settings.retry_seconds)
        self._handlers = handlers
        self.queues = frozenset(queues) | ({Queue.DESK_LONG} if Queue.DESK in queues else frozenset())
        # What takes long has hands of its own: a few loads beside each other must not keep the customers waiting.
        self._workers: dict[Collection[Queue], Worker | None] = {
            part: None for part in (self.queues & {Queue.DESK_LONG}, self.queues - {Queue.DESK_LONG}) if part
        }
        self._running: dict[asyncio.Task[None], Running] = {}
        self._working: asyncio.Task[None] | None = None
        self._stopping = False
        app.task(name=TASK, pass_context=True, queue=Queue.DESK.value)(self._work)

    def add_periodic_tasks(self, periodic_tasks: Sequence[PeriodicTask]) -> None:
        """Do these too, at their times, each once over all processes."""
        for chore in periodic_tasks:
            name = f"chore {chore.name}"
            register = self._app.task(
                name=name, pass_context=True, queue=Queue.DESK.value, lock=name, queueing_lock=name
            )
            self._app.periodic(cron=chore.cron())(register(partial(self._do_chore, chore)))

    @property
    def ids(self) -> list[int]:
        """The library's numbers of this process's workers while they work."""
        return [worker.worker_id for worker in self._workers.values() if worker and worker.worker_id]

    @property
    def running(self) -> list[int]:
        """The rows of the jobs that this process is at."""
        return [running.row_id for running in self._running.values()]

    def start(self) -> asyncio.Task[None]:
        """Work until stopped."""
        self._working = asyncio.create_task(self._run())
        return self._working

    async def stop(self, grace_seconds: float) -> None:
        """Fetch nothing more and let what runs end within the grace; what is cut off is enqueued again."""
        self._stopping = True
        for worker in filter(None, self._workers.values()):
            worker.stop()  # type: ignore[no-untyped-call]
        clock = asyncio.get_running_loop()
        end = clock.time() + grace_seconds
        # Looked at again and again: a job may have been fetched at the very moment of the end.
        while self._working and not self._working.done():
            self._cut_off(long_only=clock.time() < end)
            await asyncio.wait([self._working], timeout=CUT_OFF_SECONDS)

    async def _run(self) -> None:
        await asyncio.gather(*(self._keep_working(queues) for queues in self._workers))

    async def _keep_working(self, queues: Collection[Queue]) -> None:
        """Start again when the database was away for longer than its connector is patient."""
        while not self._stopping:
            worker = self._workers[queues] = self._new_worker(queues)
            try:
                await worker.run()  # type: ignore[no-untyped-call]
            except ConnectorException as error:
                log.warning("the worker lost its database and starts again", reason=str(error.__cause__ or error))
            except Exception:
                log.exception("the worker failed and starts again")
            if not self._stopping:
                await asyncio.sleep(RESTART_SECONDS)

    def _new_worker(self, queues: Collection[Queue]) -> Worker:
        many = self._settings.concurrency
        return Worker(
            self._app,
            queues=[queue.value for queue in queues],
            concurrency=max(1, many // 2) if Queue.DESK_LONG in queues else many,
            install_signal_handlers=False,
            delete_jobs="successful",
            fetch_job_polling_interval=POLL_SECONDS,
            abort_job_polling_interval=HOUR,
            update_heartbeat_interval=self._settings.silent_seconds / 4,
            stalled_worker_timeout=2 * self._settings.silent_seconds,
        )

    async def _work(self, context: JobContext, /, **arguments: Any) -> None:
        job = job_of(arguments)
        with self._noted(context, is_long=job.kind in LONG) as row_id:
            try:
                if context.job.lock or await self._table.take_lock(row_id, lock_of(job)):
                    await self._do(job)
                else:
                    await self._intray.put(job)
            except asyncio.CancelledError:
                await self._intray.put(job)

    async def _do(self, job: Job) -> None:
        match await attempt(job, self._handlers, self._retries):
            case Retry(again, due):
                await self._intray.put(again, due)
            case DeadLettered(reason):
                raise DeadLetteredError(reason)

    async def _do_chore(self, chore: PeriodicTask, context: JobContext, timestamp: int) -> None:  # noqa: ARG002 - the library's
        with self._noted(context, is_long=True), suppress(asyncio.CancelledError):
            await chore.do()

    @contextmanager
    def _noted(self, context: JobContext, *, is_long: bool) -> Iterator[int]:
        """Keep in mind what this process is at; gives the row's id."""
        row_id, task = cast("int", context.job.id), cast("asyncio.Task[None]", asyncio.current_task())
        self._running[task] = Running(row_id, is_long)
        try:
            yield row_id
        finally:
            del self._running[task]

    def _cut_off(self, *, long_only: bool) -> None:
        for task, running in self._running.items():
            if not running.is_cut_off and (running.is_long or not long_only):
                running.is_cut_off = True
                task.cancel()
