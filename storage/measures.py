"""What Prometheus reads: the rows' state at the moment of the scrape, and this process's requests."""

import asyncio
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit
from storage.database import Database
from storage.statuses import DeliveryStatus, DocumentStatus, ReviewStatus, TurnStatus
from storage.tables import deliveries, documents, messages, reviews, turns, workspaces

SETTLED = timedelta(seconds=2)
"""Ends younger than this are counted at the next scrape: their transactions may not have committed yet."""
DELIVERY_AGE = timedelta(days=1)
"""Deliveries of older messages are not counted when they end: the look at the rows stays short."""
TURN_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 28800)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Measures:
    """The metrics of one process in the registry that the composition root made.

    Turns, deliveries, reviews and the queue are the whole desk's, read from the rows: each process that is scraped
    tells the same, so that workers need no port of their own. Requests are this process's.
    """

    def __init__(self, registry: CollectorRegistry, database: Database) -> None:
        self._registry = registry
        self._database = database
        self._seen = audit.now()
        self._scraping = asyncio.Lock()
        self._turns = Counter("deskhand_turns", "Turns that ended since this start.", ["outcome"], registry=registry)
        self._turn_seconds = Histogram(
            "deskhand_turn_seconds",
            "From a turn's first message to its end, waiting for people included.",
            ["outcome"],
            registry=registry,
            buckets=TURN_BUCKETS,
        )
        self._deliveries = Counter(
            "deskhand_deliveries", "Deliveries that ended since this start.", ["channel", "status"], registry=registry
        )
        self._reviews = Gauge("deskhand_reviews_waiting", "Drafts that wait for a person.", registry=registry)
        self._oldest = Gauge("deskhand_review_oldest_seconds", "Age of the oldest waiting draft.", registry=registry)
        self._queue = Gauge("deskhand_queue_depth", "Jobs that the rows ask for.", ["kind"], registry=registry)
        self._requests = Counter(
            "deskhand_http_requests", "Requests answered.", ["route", "method", "status"], registry=registry
        )
        self._request_seconds = Histogram(
            "deskhand_http_request_seconds",
            "Until a response began.",
            ["route"],
            registry=registry,
            buckets=REQUEST_BUCKETS,
        )

    def requested(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request by its route's template, such as `/api/v1/reviews/{review_id}`."""
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    async def scrape(self) -> bytes:
        """Everything in the registry, up to date, in Prometheus's text format."""
        async with self._scraping:
            now = audit.now()
            async with self._database.read() as connection:
                await self._state(connection, now)
                await self._ends(connection, now - SETTLED)
            return generate_latest(self._registry)

    async def _state(self, connection: AsyncConnection, now: datetime) -> None:
        waiting, oldest = (await connection.execute(_waiting_reviews())).one()
        self._reviews.set(waiting)
        self._oldest.set((now - oldest).total_seconds() if oldest else 0)
        for kind, query in QUEUES.items():
            self._queue.labels(kind).set((await connection.execute(query)).scalar_one())

    async def _ends(self, connection: AsyncConnection, until: datetime) -> None:
        if until <= self._seen:
            return
        ended = (await connection.execute(_ended_turns(self._seen, until))).all()
        delivered = (await connection.execute(_ended_deliveries(self._seen, until))).all()
        self._seen = until
        for outcome, created_at, finished_at in ended:
            self._turns.labels(outcome).inc()
            self._turn_seconds.labels(outcome).observe((finished_at - created_at).total_seconds())
        for channel, status, count in delivered:
            self._deliveries.labels(channel, status).inc(count)


QUEUES = {
    "answer": select(func.count()).select_from(turns).where(turns.c.status == TurnStatus.QUEUED),
    "resume": select(func.count()).select_from(turns).where(turns.c.status == TurnStatus.DECIDED),
    "deliver": select(func.count()).select_from(deliveries).where(deliveries.c.status == DeliveryStatus.PENDING),
    "load": select(func.count()).select_from(documents).where(documents.c.status == DocumentStatus.LOADING),
}
"""By job kind: the rows that ask for a job."""


def _waiting_reviews() -> Select[int, datetime | None]:
    # By workspace, as the index is: few workspaces, and few of their reviews wait.
    mine = and_(reviews.c.workspace_id == workspaces.c.id, reviews.c.status == ReviewStatus.PENDING)
    return select(func.count(reviews.c.id), func.min(reviews.c.created_at)).select_from(workspaces.join(reviews, mine))


def _ended_turns(since: datetime, until: datetime) -> Select[str, datetime, datetime]:
    at = turns.c.finished_at
    mine = and_(turns.c.workspace_id == workspaces.c.id, at > since, at <= until)
    return (
        select(turns.c.outcome, turns.c.created_at, at)
        .select_from(workspaces.join(turns, mine))
        .where(turns.c.outcome.is_not(None))
    )


def _ended_deliveries(since: datetime, until: datetime) -> Select[str, str, int]:
    at = deliveries.c.finished_at
    mine = and_(messages.c.workspace_id == workspaces.c.id, messages.c.created_at > since - DELIVERY_AGE)
    return (
        select(deliveries.c.channel, deliveries.c.status, func.count())
        .select_from(workspaces.join(messages, mine).join(deliveries, deliveries.c.message_id == messages.c.id))
        .where(at > since, at <= until)
        .group_by(deliveries.c.channel, deliveries.c.status)
    )
