"""What the rows ask for: the jobs that a crash, or a cut between a commit and its enqueue, may have lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, literal, select

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

Asking = Callable[[datetime], Select[Any]]
"""A query for (id, key) of what has been due since a moment or longer."""


@dataclass(frozen=True, slots=True)
class Page:
    """The most urgent of the jobs that the rows ask for."""

    jobs: list[Job]
    complete: bool
    """There are no others."""


async def most_urgent(database: Database, limit: int) -> Page:
    """The first turns, those that are due by rank, and half as many of each other kind, deliveries by time."""
    now, found, complete = clock.now(), list[Job](), True
    async with database.read() as connection:
        for kind, asking in PENDING_WORK.items():
            page: list[Job] = []
            # Deliveries that get nowhere must leave some room for turns.
            most = limit if kind is JobKind.ANSWER else max(1, limit // 2)
            for query in _urgent_first(kind, asking(now), now):
                rows = await connection.execute(query.limit(most - len(page)))
                page += [_job(kind, row) for row in rows]
            found += page
            complete = complete and len(page) < most
    return Page(found, complete)


async def unfinished(database: Database) -> list[Job]:
    """Every job that the rows ask for, the longest waiting first.

    Decisions come first, so that an approved reply goes out before a new turn runs.
    """
    found: list[Job] = []
    async with database.read() as connection:
        for kind, asking in PENDING_WORK.items():
            rows = await connection.execute(asking(clock.now()).order_by("since"))
            found += [_job(kind, row) for row in rows]
    return found


class RecoveryScan:
    """Looks through what the rows ask for a page at a time, round after round: cheap however long the queue is."""

    def __init__(self, database: Database, page: int = 200) -> None:
        self._database = database
        self._page = page
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
            for kind, asking in PENDING_WORK.items():
                age = max(older_than, LONGEST_LOAD) if kind is JobKind.LOAD else older_than
                asked = asking(clock.now() - age).subquery()
                query = select(asked).where(asked.c.id > self._after[kind]).order_by(asked.c.id).limit(self._page)
                page = [_job(kind, row) for row in await connection.execute(query)]
                self._after[kind] = page[-1].id if len(page) == self._page else ""
                found += page
        return found

    async def still_asking(self, jobs: Sequence[Job]) -> list[Job]:
        """Those of the jobs that the rows still ask for: the others have ended since they were found."""
        asking: set[tuple[JobKind, str]] = set()
        async with self._database.read() as connection:
            for kind in {job.kind for job in jobs}:
                asked = PENDING_WORK[kind](clock.now()).subquery()
                query = select(asked.c.id).where(asked.c.id.in_([job.id for job in jobs if job.kind is kind]))
                asking |= {(kind, found) for found in (await connection.execute(query)).scalars()}
        return [job for job in jobs if (job.kind, job.id) in asking]


def _job(kind: JobKind, row: Row[Any]) -> Job:
    return Job(kind, row.id, row.key, rank=row.rank if kind is JobKind.ANSWER else 0)


def _urgent_first(kind: JobKind, asking: Select[Any], now: datetime) -> tuple[Select[Any], ...]:
    match kind:
        case JobKind.ANSWER:
            due = asking.where(turns.c.due_at <= now).order_by(turns.c.rank, turns.c.due_at)
            return due, asking.where(turns.c.due_at > now).order_by(turns.c.due_at)
        case JobKind.DELIVER:
            # One that was put off goes behind those that were not.
            return (asking.order_by(func.max(deliveries.c.next_attempt_at)),)
        case _:
            return (asking.order_by("since"),)


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
            reviews.c.closed_at <= before,
        )
    )


def _deliveries(before: datetime) -> Select[Any]:
    conversation = deliveries.c.conversation_id
    return (
        select(conversation.label("id"), conversation.label("key"), func.min(deliveries.c.created_at).label("since"))
        .where(deliveries.c.status == DeliveryStatus.PENDING, deliveries.c.created_at <= before)
        .group_by(conversation)
    )


def _turns(before: datetime) -> Select[Any]:
    # The partial indexes are only found by the literal status.
    queued = turns.c.status == literal(TurnStatus.QUEUED.value, literal_execute=True)
    columns = (turns.c.id, turns.c.conversation_id.label("key"), turns.c.created_at.label("since"), turns.c.rank)
    return select(*columns).where(queued, turns.c.created_at <= before)


def _loads(before: datetime) -> Select[Any]:
    return select(documents.c.id, documents.c.id.label("key"), documents.c.created_at.label("since")).where(
        documents.c.status == DocumentStatus.LOADING, documents.c.created_at <= before
    )


PENDING_WORK: dict[JobKind, Asking] = {
    JobKind.RESUME: _decisions,
    JobKind.DELIVER: _deliveries,
    JobKind.ANSWER: _turns,
    JobKind.LOAD: _loads,
}
