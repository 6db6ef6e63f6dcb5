"""Enqueuing: each job waits once in Procrastinate's table, in its queue, behind its lock key or until it is due."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import bindparam, select

from storage import clock
from storage.database.engine import Database
from storage.database.tables import deliveries
from storage.queue.jobs import (
    LONG,
    Job,
    JobKind,
    Queue,
    ranked,
)
from storage.queue.procrastinate.statements import TASK, JobTable
from storage.queue.procrastinate.wakeups import DueTimers
from storage.records import DeliveryStatus

ENQUEUE_TRIES = 5
"""A waiting job may be fetched between two looks at it, but not time and again."""
DECISION_PRIORITY = 1
PENDING_CHANNEL = (
    select(deliveries.c.channel)
    .where(deliveries.c.conversation_id == bindparam("conversation"), deliveries.c.status == DeliveryStatus.PENDING)
    .limit(1)
)


class Enqueuer:
    """Enqueues jobs.

    One that is due carries the lock of its key, and the library runs one job of a lock at a time. One that is not due
    carries none, since the library lets even a waiting job of a lock keep the later ones back: it takes its lock when
    its time has come.
    """

    def __init__(self, app: App, table: JobTable, database: Database) -> None:
        self._app = app
        self._table = table
        self._database = database
        self._timers = DueTimers(table.wake)

    async def put(self, job: Job, due: datetime | None = None, *, bring_forward: bool = True) -> None:
        """Enqueue a job, or bring the same one forward that waits already. Raises ConnectorException, DBAPIError.

        Without `bring_forward`, one that waits already waits on as long as it should.
        """
        queue = await self._queue_name(job)
        if queue is None:
            return
        later = due if due is not None and due > clock.now() else None
        deferrer = self._app.configure_task(
            TASK,
            queue=queue.value,
            lock=None if later else lock_of(job),
            queueing_lock=queueing_lock_of(job),
            schedule_at=later,
            priority=priority_of(job),
        )
        for _ in range(ENQUEUE_TRIES):
            try:
                await deferrer.defer_async(**arguments_of(job))
                break
            except AlreadyEnqueued:
                if not bring_forward:
                    return
                if await self._table.bring_forward(queueing_lock_of(job), later, job.attempt):
                    break
        if later:
            self._timers.set(queue, later)

    async def missing(self, jobs: Sequence[Job]) -> list[Job]:
        """Those that neither wait nor run. Raises ConnectorException."""
        known = await self._table.known([queueing_lock_of(job) for job in jobs]) if jobs else ()
        return [job for job in jobs if queueing_lock_of(job) not in known]

    async def restore(self, jobs: Sequence[Job]) -> int:
        """Enqueue those that still neither wait nor run; gives how many. Raises ConnectorException, DBAPIError."""
        missing = await self.missing(jobs)
        for job in missing:
            await self.put(job, bring_forward=False)
        return len(missing)

    async def close(self) -> None:
        """Set no more timers."""
        await self._timers.close()

    async def _queue_name(self, job: Job) -> Queue | None:
        """Deliveries wait with whoever holds their channel's connection; None: there is nothing to deliver."""
        if job.kind is not JobKind.DELIVER:
            return Queue.DESK_LONG if job.kind in LONG else Queue.DESK
        async with self._database.read() as connection:
            channel = (await connection.execute(PENDING_CHANNEL, {"conversation": job.id})).scalar_one_or_none()
        return None if channel is None else Queue(f"deliver-{channel}")


def arguments_of(job: Job) -> dict[str, Any]:
    """What the row of a job keeps of it."""
    return asdict(job)


def job_of(arguments: Mapping[str, Any]) -> Job:
    """The job of a row."""
    fields = dict(arguments)
    # Rows of the version before call the key so: while versions change, both work on one table.
    if "lane" in fields:
        fields["key"] = fields.pop("lane")
    return Job(**fields | {"kind": JobKind(fields["kind"])})


def priority_of(job: Job) -> int:
    """Decisions, then replies, then the rest by rank; the library's highest goes first."""
    return DECISION_PRIORITY if job.kind is JobKind.RESUME else -ranked(job).rank


def lock_of(job: Job) -> str:
    """Turns and decisions of a conversation take turns; neither its deliveries nor its summary hold them up."""
    if job.kind in (JobKind.DELIVER, JobKind.SUMMARISE):
        return f"{job.kind} {job.key}"
    return job.key


def queueing_lock_of(job: Job) -> str:
    """The same job waits once."""
    return f"{job.kind} {job.id}"
