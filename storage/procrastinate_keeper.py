"""What keeps the queue whole: jobs of dead workers, jobs that nobody runs, and jobs that were never enqueued."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from sqlalchemy.exc import DBAPIError

from storage.attempts import Retries, give_up
from storage.database import Database
from storage.jobs import Handlers, Job, JobKind, Queue
from storage.procrastinate_table import TASK, JobTable, Row
from storage.settings import JobsSettings
from storage.unfinished import Rounds

log = structlog.get_logger(__name__)


class Kept(Protocol):
    """What the keeper sees of the queue."""

    @property
    def app(self) -> App:
        """The library's application."""

    @property
    def table(self) -> JobTable:
        """The library's table of jobs."""

    @property
    def queues(self) -> Sequence[Queue]:
        """What this process works on."""

    @property
    def worker_id(self) -> int | None:
        """The library's number of this process's worker while it works."""

    @property
    def running(self) -> list[int]:
        """The rows of the jobs that this process is at."""

    async def put(self, job: Job) -> None:
        """Enqueue a job."""

    async def restore(self, jobs: Sequence[Job]) -> int:
        """Enqueue those that neither wait nor run; gives how many."""


class Keeper:
    """Looks at the queue again and again; several processes may do that at the same time."""

    def __init__(self, kept: Kept, database: Database, settings: JobsSettings, handlers: Handlers) -> None:
        self._kept = kept
        self._rounds = Rounds(database)
        self._retries = Retries(settings.max_attempts, settings.retry_seconds)
        self._handlers = handlers
        self._silent = timedelta(seconds=settings.silent_seconds)
        self._reconcile_every = timedelta(seconds=settings.reconcile_seconds)
        self._suspects: frozenset[int] = frozenset()
        self.began = asyncio.Event()
        """What was unfinished at the start has been enqueued."""

    async def run(self) -> None:
        """Rescue and reconcile until cancelled."""
        await asyncio.gather(self._keep_rescuing(), self._keep_reconciling())

    async def _keep_rescuing(self) -> None:
        while True:
            await asyncio.sleep(self._silent.total_seconds() / 2)
            try:
                await self._rescue()
            except (ConnectorException, DBAPIError) as error:
                log.warning("no look at silent workers", reason=str(error.__cause__ or error))

    async def _keep_reconciling(self) -> None:
        age = timedelta(0)
        while True:
            try:
                # As long as a page brings something to light, there may be much more.
                while restored := await self._kept.restore(await self._rounds.next(age)):
                    log.warning("jobs that were never enqueued", count=restored)
            except (ConnectorException, DBAPIError) as error:
                log.warning("no look at the rows", reason=str(error.__cause__ or error))
            self.began.set()
            age = self._reconcile_every
            await asyncio.sleep(age.total_seconds())

    async def _rescue(self) -> None:
        """Take up what is abandoned at two looks in a row.

        At the first look a job may just have been fetched, and a worker may be silent because the database was away.
        """
        kept = self._kept
        if kept.worker_id is not None:
            # The library's worker sends none while it stops and waits for its jobs.
            await kept.app.job_manager.update_heartbeat(kept.worker_id)
        rows = await kept.table.abandoned(kept.queues, self._silent, kept.worker_id, kept.running)
        for row in rows:
            if row.id in self._suspects and row.id not in kept.running:
                await self._take_up(row)
        self._suspects = frozenset(row.id for row in rows) - self._suspects

    async def _take_up(self, row: Row) -> None:
        log.warning("a job was abandoned", task=row.task, **row.args)
        if row.task == TASK:
            job = Job(JobKind(row.args["kind"]), row.args["id"], row.args["lane"], row.args["attempt"])
            # A job that takes its worker down with it must come to an end too.
            if self._retries.has_more(job):
                await self._kept.put(replace(job, attempt=job.attempt + 1))
            else:
                await give_up(job, self._handlers, "its worker died")
        await self._kept.app.job_manager.finish_job_by_id_async(row.id, Status.FAILED, delete_job=True)
