"""The queue of many processes: Procrastinate's jobs in our PostgreSQL (docs/procrastinate.md)."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError

from storage.database.engine import Database
from storage.queue.jobs import Handlers, Job, Queue
from storage.queue.periodic import DAY, HOUR, PeriodicTask
from storage.queue.procrastinate.connector import MAX_OUTAGE_SECONDS, RetryingConnector
from storage.queue.procrastinate.enqueue import Enqueuer
from storage.queue.procrastinate.maintenance import Maintenance
from storage.queue.procrastinate.statements import JobTable
from storage.queue.procrastinate.worker import QueueWorker
from storage.settings import JobsSettings

log = structlog.get_logger(__name__)

IDLE_POLL_SECONDS = 0.02


class ProcrastinateJobs:
    """Enqueues for every process and, once started, works on the jobs of some queues in this one."""

    def __init__(
        self, database: Database, settings: JobsSettings, max_outage_seconds: float = MAX_OUTAGE_SECONDS
    ) -> None:
        """`max_outage_seconds`: how long a statement is tried again while the database is away."""
        self._database = database
        self._settings = settings
        self._connector = RetryingConnector(database.conninfo, max_outage_seconds)
        self._app = App(connector=self._connector)
        self._table = JobTable(self._connector)
        self._enqueuer = Enqueuer(self._app, self._table, database)
        self._worker: QueueWorker | None = None
        self._maintenance: Maintenance | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect; call it before anything else."""
        await self._app.open_async()

    async def close(self) -> None:
        """Let go of the connections; `stop` comes first."""
        self._connector.stop_retrying()
        await self._enqueuer.close()
        await self._app.close_async()

    async def enqueue(self, job: Job, *, due: datetime | None = None) -> None:
        """Take a job. When the database is away the rows keep it, and a worker finds it there."""
        try:
            await self._enqueuer.put(job, due)
        except (ConnectorException, DBAPIError) as error:
            log.warning(
                "job not enqueued, left to its rows", kind=job.kind, id=job.id, reason=str(error.__cause__ or error)
            )

    @property
    def is_working(self) -> bool:
        """Whether jobs are taken: the worker and the maintenance both run."""
        return self._worker is not None and not any(task.done() for task in self._tasks)

    def start(
        self,
        handlers: Handlers,
        *,
        queues: Collection[Queue] | None = None,
        periodic_tasks: Sequence[PeriodicTask] = (),
    ) -> None:
        """Begin to work on these queues; None: on all of them."""
        served = tuple(Queue) if queues is None else queues
        self._worker = QueueWorker(self._app, self._enqueuer, self._settings, handlers, served)
        if Queue.DESK in served:
            self._worker.add_periodic_tasks((*periodic_tasks, PeriodicTask("prune-jobs", HOUR, self.prune)))
        self._maintenance = Maintenance(
            self._app, self._enqueuer, self._worker, self._database, self._settings, handlers
        )
        self._tasks = [self._worker.start(), asyncio.create_task(self._maintenance.run())]

    async def idle(self) -> None:
        """Return when no job of this process's queues waits or runs any more."""
        if self._worker is None or self._maintenance is None:
            return
        await self._maintenance.has_recovered.wait()
        while await self._table.is_busy(self._worker.queues):  # noqa: ASYNC110 - other processes' work gives no event
            await asyncio.sleep(IDLE_POLL_SECONDS)

    async def stop(self, grace_seconds: float = 3.0) -> None:
        """Fetch nothing more and let what runs end within the grace; what is cut off is enqueued again."""
        if self._worker is None:
            return
        working, maintaining = self._tasks
        maintaining.cancel()
        # From then on nobody waits for a database that is away.
        end_of_grace = asyncio.get_running_loop().call_later(grace_seconds, self._connector.stop_retrying)
        await self._worker.stop(grace_seconds)
        end_of_grace.cancel()
        await asyncio.gather(working, maintaining, return_exceptions=True)
        self._worker = None

    async def prune(self) -> None:
        """Delete the jobs that were dead-lettered some days ago; the others go when they are done."""
        hours = self._settings.keep_failed_days * DAY // HOUR
        await self._app.job_manager.delete_old_jobs(
            nb_hours=hours, include_failed=True, include_cancelled=True, include_aborted=True
        )
