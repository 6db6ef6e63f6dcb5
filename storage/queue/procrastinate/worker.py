"""Worker process: does the jobs of some of Procrastinate's queues until it is stopped.

What is to be done again is enqueued anew rather than retried by the library, whose retry fails when the same job has
been enqueued while it ran.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

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
from storage.queue.procrastinate.running import RunningJobs
from storage.queue.procrastinate.statements import TASK, JobTable
from storage.queue.retries import (
    DeadLettered,
    Retry,
    attempt,
)
from storage.settings import JobsSettings

log = structlog.get_logger(__name__)

FETCH_POLL_SECONDS = 1.0
"""How often a worker looks for jobs of which no notification has come."""
RESTART_SECONDS = 1.0
STOP_POLL_SECONDS = 0.1


class DeadLetteredError(Exception):
    """Every try at a job has failed; the library keeps it as `failed` for some days."""


class QueueWorker:
    """Works on some queues until it is stopped, whatever happens to the database in between."""

    def __init__(
        self, app: App, enqueuer: Enqueuer, settings: JobsSettings, handlers: Handlers, queues: Collection[Queue]
    ) -> None:
        self._app = app
        self._table = JobTable(app.connector)
        self._enqueuer = enqueuer
        self._settings = settings
        self._retries = RetryPolicy(settings.max_attempts, settings.retry_seconds)
        self._handlers = handlers
        self.queues = frozenset(queues) | ({Queue.DESK_LONG} if Queue.DESK in queues else frozenset())
        # What takes long has a worker of its own: a few loads beside each other must not keep the customers waiting.
        self._workers: dict[Collection[Queue], Worker | None] = {
            part: None for part in (self.queues & {Queue.DESK_LONG}, self.queues - {Queue.DESK_LONG}) if part
        }
        self._running = RunningJobs()
        self._working: asyncio.Task[None] | None = None
        self._stopping = False
        app.task(name=TASK, pass_context=True, queue=Queue.DESK.value)(self._run_job)

    def add_periodic_tasks(self, periodic_tasks: Sequence[PeriodicTask]) -> None:
        """Run these too, at their times, each once over all processes."""
        for task in periodic_tasks:
            name = f"periodic {task.name}"
            register = self._app.task(
                name=name, pass_context=True, queue=Queue.DESK.value, lock=name, queueing_lock=name
            )
            self._app.periodic(cron=task.cron())(register(partial(self._run_periodic, task)))

    @property
    def ids(self) -> list[int]:
        """The library's numbers of this process's workers while they work."""
        return [worker.worker_id for worker in self._workers.values() if worker and worker.worker_id]

    @property
    def running(self) -> list[int]:
        """The rows of the jobs that this process is at."""
        return self._running.row_ids

    def start(self) -> asyncio.Task[None]:
        """Work until stopped."""
        self._working = asyncio.create_task(self._run())
        return self._working

    async def stop(self, grace_seconds: float) -> None:
        """Fetch nothing more and let what runs end within the grace; what is cut off is enqueued again."""
        self._stopping = True
        for worker in filter(None, self._workers.values()):
            worker.stop()  # type: ignore[no-untyped-call]
        loop = asyncio.get_running_loop()
        end = loop.time() + grace_seconds
        # Looked at again and again: a job may have been fetched at the very moment of the end.
        while self._working and not self._working.done():
            self._running.cut_off(long_only=loop.time() < end)
            await asyncio.wait([self._working], timeout=STOP_POLL_SECONDS)

    async def _run(self) -> None:
        await asyncio.gather(*(self._keep_working(queues) for queues in self._workers))

    async def _keep_working(self, queues: Collection[Queue]) -> None:
        """Start again when the database was away for longer than its connector tries."""
        while not self._stopping:
            worker = self._workers[queues] = self._new_worker(queues)
            try:
                await worker.run()  # type: ignore[no-untyped-call]
            except ConnectorException as error:
                log.warning("worker lost its database, restarting", reason=str(error.__cause__ or error))
            except Exception:
                log.exception("worker failed, restarting")
            if not self._stopping:
                await asyncio.sleep(RESTART_SECONDS)

    def _new_worker(self, queues: Collection[Queue]) -> Worker:
        concurrency = self._settings.concurrency
        return Worker(
            self._app,
            queues=[queue.value for queue in queues],
            concurrency=max(1, concurrency // 2) if Queue.DESK_LONG in queues else concurrency,
            install_signal_handlers=False,
            delete_jobs="successful",
            fetch_job_polling_interval=FETCH_POLL_SECONDS,
            abort_job_polling_interval=HOUR,
            update_heartbeat_interval=self._settings.silent_seconds / 4,
            stalled_worker_timeout=2 * self._settings.silent_seconds,
        )

    async def _run_job(self, context: JobContext, /, **arguments: Any) -> None:
        job = job_of(arguments)
        with self._running.tracked(context, is_long=job.kind in LONG) as row_id:
            try:
                if context.job.lock or await self._table.take_lock(row_id, lock_of(job)):
                    await self._attempt(job)
                else:
                    await self._enqueuer.put(job)
            except asyncio.CancelledError:
                await self._enqueuer.put(job)

    async def _attempt(self, job: Job) -> None:
        match await attempt(job, self._handlers, self._retries):
            case Retry(again, due):
                await self._enqueuer.put(again, due)
            case DeadLettered(reason):
                raise DeadLetteredError(reason)

    async def _run_periodic(self, task: PeriodicTask, context: JobContext, timestamp: int) -> None:  # noqa: ARG002 - the library's
        with self._running.tracked(context, is_long=True), suppress(asyncio.CancelledError):
            await task.run_once()
