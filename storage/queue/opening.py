"""Opens the queue that fits the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.database.engine import Database
from storage.queue.embedded.jobs import EmbeddedJobs
from storage.queue.jobs import JobQueue
from storage.queue.procrastinate.jobs import ProcrastinateJobs
from storage.settings import Settings


@asynccontextmanager
async def open_jobs(settings: Settings, database: Database) -> AsyncIterator[JobQueue]:
    """The queue of this process on SQLite, the shared one on PostgreSQL; stopped at the end if nobody did.

    It works once `start` is called, first of all on what the rows say is unfinished; until then it only enqueues.
    """
    if database.is_sqlite:
        embedded = embedded_jobs(settings, database)
        try:
            yield embedded
        finally:
            await embedded.stop()
        return
    jobs = ProcrastinateJobs(database, settings.jobs)
    await jobs.open()
    try:
        yield jobs
    finally:
        await jobs.stop()
        await jobs.close()


def embedded_jobs(settings: Settings, database: Database) -> EmbeddedJobs:
    """The queue of one process over these rows."""
    return EmbeddedJobs(
        concurrency=settings.jobs.concurrency,
        max_attempts=settings.jobs.max_attempts,
        retry_seconds=settings.jobs.retry_seconds,
        recover_from=database,
        reconcile_seconds=settings.jobs.reconcile_seconds,
    )
