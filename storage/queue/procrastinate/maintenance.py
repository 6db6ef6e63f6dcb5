"""Maintenance loops: restart the jobs of dead workers, and enqueue what the rows ask for and no job does."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from sqlalchemy.exc import DBAPIError

from storage.backoff import RetryPolicy
from storage.database.engine import Database
from storage.queue.jobs import Handlers
from storage.queue.procrastinate.enqueue import Enqueuer, job_of
from storage.queue.procrastinate.statements import TASK, AbandonedJob, JobTable
from storage.queue.procrastinate.worker import QueueWorker
from storage.queue.recovery import RecoveryScan
from storage.queue.retries import dead_letter
from storage.settings import JobsSettings

log = structlog.get_logger(__name__)


class Maintenance:
    """Looks at the queue again and again; several processes may do that at the same time."""

    def __init__(
        self,
        app: App,
        enqueuer: Enqueuer,
        worker: QueueWorker,
        database: Database,
        settings: JobsSettings,
        handlers: Handlers,
    ) -> None:
        self._app = app
        self._table = JobTable(app.connector)
        self._enqueuer = enqueuer
        self._worker = worker
        self._scan = RecoveryScan(database)
        self._retries = RetryPolicy(settings.max_attempts, settings.retry_seconds)
        self._handlers = handlers
        self._silent = timedelta(seconds=settings.silent_seconds)
        self._reconcile_every = timedelta(seconds=settings.reconcile_seconds)
        self._suspects: frozenset[int] = frozenset()
        self.has_recovered = asyncio.Event()
        """What was unfinished at the start has been enqueued."""

    async def run(self) -> None:
        """Rescue abandoned jobs and reconcile with the rows until cancelled."""
        await asyncio.gather(self._keep_rescuing(), self._keep_reconciling())

    async def _keep_rescuing(self) -> None:
        while True:
            await asyncio.sleep(self._silent.total_seconds() / 2)
            await _guarded("rescue", self._rescue())

    async def _keep_reconciling(self) -> None:
        age = timedelta(0)
        while True:
            await _guarded("reconcile", self._reconcile(age))
            self.has_recovered.set()
            age = self._reconcile_every
            await asyncio.sleep(age.total_seconds())

    async def _reconcile(self, age: timedelta) -> None:
        """Enqueue what is missing; as long as a page has something, there may be much more behind it."""
        while missing := await self._enqueuer.missing(await self._scan.next(age)):
            # What ended between the look at the rows and the look at the queue is missing in neither.
            restored = await self._enqueuer.restore(await self._scan.still_pending(missing))
            if not restored:
                break
            log.warning("jobs were never enqueued", count=restored)
            if self._scan.is_complete:
                break

    async def _rescue(self) -> None:
        """Restart what is abandoned at two looks in a row.

        At the first look a job may just have been fetched, and a worker may be silent because the database was away.
        """
        worker = self._worker
        for number in worker.ids:
            # The library's worker sends none while it stops and waits for its jobs.
            await self._app.job_manager.update_heartbeat(number)
        rows = await self._table.abandoned(worker.queues, self._silent, worker.ids, worker.running)
        for row in rows:
            if row.id in self._suspects and row.id not in worker.running:
                await self._restart(row)
        self._suspects = frozenset(row.id for row in rows) - self._suspects

    async def _restart(self, row: AbandonedJob) -> None:
        log.warning("job abandoned by its worker", task=row.task, **row.args)
        if row.task == TASK:
            job = job_of(row.args)
            # A job that takes its worker down with it must come to an end too.
            if self._retries.has_more(job.attempt):
                await self._enqueuer.put(replace(job, attempt=job.attempt + 1))
            else:
                await dead_letter(job, self._handlers, "its worker died")
        await self._app.job_manager.finish_job_by_id_async(row.id, Status.FAILED, delete_job=True)


async def _guarded(what: str, work: Coroutine[Any, Any, None]) -> None:
    """Whatever goes wrong, the next look comes as usual."""
    try:
        await work
    except (ConnectorException, DBAPIError) as error:
        log.warning("queue maintenance found no database", what=what, reason=str(error.__cause__ or error))
    except Exception:
        log.exception("queue maintenance failed", what=what)
