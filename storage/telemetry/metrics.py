"""Prometheus metrics: the rows' state at the moment of the scrape, and what this process has done."""

import asyncio
from datetime import datetime, timedelta
from importlib.metadata import version
from platform import python_version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.engine import Database
from storage.records import DeliveryStatus, DocumentStatus
from storage.telemetry import metric_queries

COMMIT_GRACE = timedelta(seconds=2)
"""Ends younger than this are counted at the next scrape: their transactions may not have committed yet."""
LOOK_BACK = timedelta(days=1)
"""Ends that nobody scraped for so long are not counted any more: the look at the rows stays short."""
TURN_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 28800)
DELIVERY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one process in the registry that the composition root made.

    Turns, deliveries, reviews, knowledge and the queue are the whole desk's, read from the rows: each process that is
    scraped tells the same. Requests, and what others add to the registry (nodes, the chat model, jobs), are this
    process's own.
    """

    def __init__(self, registry: CollectorRegistry, database: Database) -> None:
        self._registry = registry
        self._database = database
        self._counted_until = clock.now()
        self._scraping = asyncio.Lock()
        self._completions = _CompletionMetrics(registry)
        self._state = _StateMetrics(registry)
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
        Info("deskhand_build", "The running version.", registry=registry).info(
            {"version": version("deskhand"), "python": python_version()}
        )
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request by its route's template, such as `/api/v1/reviews/{review_id}`."""
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    async def scrape(self) -> bytes:
        """Everything in the registry, up to date, in Prometheus's text format."""
        async with self._scraping:
            now = clock.now()
            async with self._database.read() as connection:
                await self._state.read(connection, now)
                since, until = max(self._counted_until, now - LOOK_BACK), now - COMMIT_GRACE
                if until > since:
                    await self._completions.read(connection, since, until)
                    self._counted_until = until
            return generate_latest(self._registry)


class _StateMetrics:
    """What waits, and what there is, at the moment of the scrape."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._reviews = Gauge("deskhand_reviews_waiting", "Drafts that wait for a person.", registry=registry)
        self._oldest_review = Gauge(
            "deskhand_review_oldest_seconds", "Age of the oldest waiting draft.", registry=registry
        )
        self._depth = Gauge("deskhand_queue_depth", "Jobs that the rows ask for.", ["kind"], registry=registry)
        self._oldest_job = Gauge(
            "deskhand_queue_oldest_seconds",
            "How long the oldest job has been due; 0: none is.",
            ["kind"],
            registry=registry,
        )
        self._documents = Gauge("deskhand_documents", "Documents of the knowledge.", ["status"], registry=registry)
        self._entries = Gauge(
            "deskhand_knowledge_entries", "FAQ entries and passages that can be found.", registry=registry
        )

    async def read(self, connection: AsyncConnection, now: datetime) -> None:
        """Look at the rows."""
        waiting, oldest = (await connection.execute(metric_queries.WAITING_REVIEWS)).one()
        self._reviews.set(waiting)
        self._oldest_review.set(_age(oldest, now))
        for kind, query in metric_queries.QUEUES.items():
            depth, since = (await connection.execute(query)).one()
            self._depth.labels(kind).set(depth)
            self._oldest_job.labels(kind).set(_age(since, now))
        found = {
            status: (count, entries) for status, count, entries in await connection.execute(metric_queries.KNOWLEDGE)
        }
        for status in DocumentStatus:
            self._documents.labels(status).set(found.get(status, (0, 0))[0])
        self._entries.set(found.get(DocumentStatus.READY, (0, 0))[1])


class _CompletionMetrics:
    """What came to its end since the scrape before."""

    def __init__(self, registry: CollectorRegistry) -> None:
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
        self._delivery_seconds = Histogram(
            "deskhand_delivery_seconds",
            "From a reply's commit until its channel had it.",
            ["channel"],
            registry=registry,
            buckets=DELIVERY_BUCKETS,
        )

    async def read(self, connection: AsyncConnection, since: datetime, until: datetime) -> None:
        """Count what ended after `since` and not after `until`."""
        span = {"since": since, "until": until}
        for outcome, created_at, finished_at in await connection.execute(metric_queries.ENDED_TURNS, span):
            self._turns.labels(outcome).inc()
            self._turn_seconds.labels(outcome).observe((finished_at - created_at).total_seconds())
        for channel, status, created_at, finished_at in await connection.execute(metric_queries.ENDED_DELIVERIES, span):
            self._deliveries.labels(channel, status).inc()
            if status == DeliveryStatus.SENT:
                self._delivery_seconds.labels(channel).observe((finished_at - created_at).total_seconds())


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
