"""Recovery from the rows: the jobs that a crash, or a cut between a commit and its enqueue, may have lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal, or_, select

from storage import clock
from storage.database.engine import Database
from storage.database.tables import (
    deliveries,
    documents,
    reviews,
    turns,
)
from storage.queue.jobs import Job, JobKind
from storage.records import (
    DeliveryStatus,
    DocumentStatus,
    ReviewStatus,
    TurnStatus,
)

LONGEST_LOAD = timedelta(minutes=10)
"""A document that is younger may be on its way in a process that loads it without a job (`deskhand ingest`)."""

PendingSince = Callable[[datetime], Select[Any]]
"""Makes a query for the id and the lock key of what has waited since a moment or longer."""


@dataclass(frozen=True, slots=True)
class MostUrgent:
    """The most urgent of the jobs that the rows ask for."""

    jobs: list[Job]
    is_complete: bool
    """There are no others."""


async def most_urgent(database: Database, limit: int) -> MostUrgent:
    """The first turns, those that are due by rank, and half as many of each other kind, deliveries by time."""
    now, found, is_complete = clock.now(), list[Job](), True
    async with database.read() as connection:
        for kind, pending_since in PENDING_WORK.items():
            page: list[Job] = []
            # Deliveries that get nowhere must leave some room for turns.
            most = limit if kind is JobKind.ANSWER else max(1, limit // 2)
            for query in _urgent_first(kind, pending_since(now), now):
                rows = await connection.execute(query.limit(most - len(page)))
                page += [_job(kind, row) for row in rows]
            found += page
            is_complete = is_complete and len(page) < most
    return MostUrgent(found, is_complete)


class RecoveryScan:
    """Keyset paging through what the rows ask for, round after round: cheap however long the queue is."""

    def __init__(self, database: Database, page_size: int = 200) -> None:
        self._database = database
        self._page_size = page_size
        self._after = dict.fromkeys(JobKind, "")

    @property
    def is_complete(self) -> bool:
        """A round has ended: the next page is a first one."""
        return not any(self._after.values())

    async def next(self, older_than: timedelta) -> list[Job]:
        """The next page of each kind of what has been due for longer than this.

        What is younger is on its way into the queue; waiting jobs are among the result too.
        """
        found: list[Job] = []
        async with self._database.read() as connection:
            for kind, pending_since in PENDING_WORK.items():
                age = max(older_than, LONGEST_LOAD) if kind is JobKind.LOAD else older_than
                pending = pending_since(clock.now() - age).subquery()
                query = (
                    select(pending)
                    .where(pending.c.id > self._after[kind])
                    .order_by(pending.c.id)
                    .limit(self._page_size)
                )
                page = [_job(kind, row) for row in await connection.execute(query)]
                self._after[kind] = page[-1].id if len(page) == self._page_size else ""
                found += page
        return found

    async def still_pending(self, jobs: Sequence[Job]) -> list[Job]:
        """Those of the jobs that the rows still ask for: the others have ended since they were found."""
        still: set[tuple[JobKind, str]] = set()
        async with self._database.read() as connection:
            for kind in {job.kind for job in jobs}:
                pending = PENDING_WORK[kind](clock.now()).subquery()
                query = select(pending.c.id).where(pending.c.id.in_([job.id for job in jobs if job.kind is kind]))
                still |= {(kind, found) for found in (await connection.execute(query)).scalars()}
        return [job for job in jobs if (job.kind, job.id) in still]


def _job(kind: JobKind, row: Row[Any]) -> Job:
    return Job(kind, row.id, row.key, rank=row.rank if kind is JobKind.ANSWER else 0)


def _urgent_first(kind: JobKind, pending: Select[Any], now: datetime) -> tuple[Select[Any], ...]:
    match kind:
        case JobKind.ANSWER:
            due = pending.where(turns.c.due_at <= now).order_by(turns.c.rank, turns.c.due_at)
            return due, pending.where(turns.c.due_at > now).order_by(turns.c.due_at)
        case JobKind.DELIVER:
            # One that was put off goes behind those that were not.
            return (pending.order_by(func.max(deliveries.c.next_attempt_at)),)
        case _:
            return (pending.order_by("since"),)


def _since(moment: ColumnElement[datetime], before: datetime) -> ColumnElement[bool]:
    """Rows of this moment or earlier, and those from ahead of the clock: it was set back, and they wait too."""
    return or_(moment <= before, moment > clock.now() + clock.MIN_STEP)


def _decisions(before: datetime) -> Select[Any]:
    newer = reviews.alias("newer")
    newest = select(func.max(newer.c.version)).where(newer.c.turn_id == turns.c.id).scalar_subquery()
    return (
        select(reviews.c.id, turns.c.conversation_id.label("key"), reviews.c.closed_at.label("since"))
        .join(turns, turns.c.id == reviews.c.turn_id)
        .where(
            turns.c.status == TurnStatus.DECIDED,
            reviews.c.status == ReviewStatus.DECIDED,
            reviews.c.version == newest,
            _since(reviews.c.closed_at, before),
        )
    )


def _deliveries(before: datetime) -> Select[Any]:
    conversation = deliveries.c.conversation_id
    return (
        select(conversation.label("id"), conversation.label("key"), func.min(deliveries.c.created_at).label("since"))
        .where(deliveries.c.status == DeliveryStatus.PENDING, _since(deliveries.c.created_at, before))
        .group_by(conversation)
    )


def _turns(before: datetime) -> Select[Any]:
    # The partial indexes are only found by the literal status.
    queued = turns.c.status == literal(TurnStatus.QUEUED.value, literal_execute=True)
    columns = (turns.c.id, turns.c.conversation_id.label("key"), turns.c.created_at.label("since"), turns.c.rank)
    return select(*columns).where(queued, _since(turns.c.created_at, before))


def _loads(before: datetime) -> Select[Any]:
    return select(documents.c.id, documents.c.id.label("key"), documents.c.created_at.label("since")).where(
        documents.c.status == DocumentStatus.LOADING, _since(documents.c.created_at, before)
    )


PENDING_WORK: dict[JobKind, PendingSince] = {
    JobKind.RESUME: _decisions,
    JobKind.DELIVER: _deliveries,
    JobKind.ANSWER: _turns,
    JobKind.LOAD: _loads,
}
