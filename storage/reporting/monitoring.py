"""Monitoring: what waits in a workspace at this moment, and how its last turns went."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.engine import Database
from storage.database.paging import Page, decode_cursor, page_of
from storage.database.tables import (
    audit_events,
    conversations,
    decisions,
    deliveries,
    documents,
    drafts,
    messages,
    reviews,
)
from storage.database.tables import turns as turn_table
from storage.records import (
    ChannelName,
    ConversationStatus,
    DecisionKind,
    DeliveryStatus,
    DocumentStatus,
    Outcome,
    ReviewStatus,
    Triage,
    TurnStatus,
)

RECENT_PERIOD = timedelta(days=1)
EVENTS_PER_TURN = 12
"""Audit events read per turn asked for, so that finding the latest turns reads a bounded part of the trail."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits, and for how long the oldest has, in seconds; None when nothing waits."""

    count: int
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The state of a workspace at one moment."""

    queue: Backlog
    """Turns that wait for their job or run, and decisions that are taking effect."""
    customers: Backlog
    """Conversations with customer text that nobody has answered."""
    reviews: Backlog
    """Drafts that wait for a person."""
    deliveries: Mapping[ChannelName, Mapping[DeliveryStatus, int]]
    """Replies of the last 24 hours by the channel that they go to; channels without any are absent."""
    documents: Mapping[DocumentStatus, int]
    """Every status is there."""


@dataclass(frozen=True, slots=True)
class ProcessSummary:
    """One ended turn in figures."""

    turn_id: str
    conversation_id: str
    status: TurnStatus
    outcome: Outcome | None
    """None: newer words or a person overtook the turn."""
    created_at: datetime
    finished_at: datetime
    version: int | None
    """Of the last draft; None when there was none."""
    confidence: float | None
    intent: str | None
    priority: str | None
    model: str | None
    prompt_version: str | None
    decision: DecisionKind | None
    """How a person decided on the last draft."""

    @property
    def seconds(self) -> float:
        """From the first message to the end, waiting for people included."""
        return (self.finished_at - self.created_at).total_seconds()


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One line of the audit trail."""

    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TurnTrace:
    """The way of one turn, ended or not."""

    turn_id: str
    conversation_id: str
    status: TurnStatus
    outcome: Outcome | None
    attempts: int
    created_at: datetime
    finished_at: datetime | None
    reasons: tuple[str, ...]
    """Why its last draft was held or handed to a person."""
    steps: tuple[TraceEvent, ...]


class Monitoring:
    """Reads the present from the rows; every look is bounded."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def dashboard(self, workspace_id: str) -> Dashboard:
        """What waits and what is under way."""
        async with self._database.read() as connection:
            queue, customers, held = [await _backlog(connection, *place) for place in _backlog_queries(workspace_id)]
            delivered = (await connection.execute(_recent_deliveries(workspace_id))).all()
            loaded = (await connection.execute(_documents(workspace_id))).all()
        by_channel: dict[ChannelName, dict[DeliveryStatus, int]] = {}
        for channel, status, count in delivered:
            by_channel.setdefault(channel, dict.fromkeys(DeliveryStatus, 0))[DeliveryStatus(status)] = count
        by_status = dict.fromkeys(DocumentStatus, 0) | {DocumentStatus(status): n for status, n in loaded}
        return Dashboard(queue, customers, held, MappingProxyType(by_channel), MappingProxyType(by_status))

    async def summaries(self, workspace_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[ProcessSummary]:
        """Ended turns, the latest end first."""
        query = _finished_turns(workspace_id)
        at = turn_table.c.finished_at
        if cursor:
            seen_at, seen_id = decode_cursor(cursor)
            query = query.where(or_(at < seen_at, and_(at == seen_at, turn_table.c.id < seen_id)))
        query = query.order_by(at.desc(), turn_table.c.id.desc()).limit(limit + 1)
        async with self._database.read() as connection:
            found = [_summary(row) for row in (await connection.execute(query)).mappings()]
        return page_of(found, limit, lambda item: (item.finished_at, item.turn_id))

    async def traces(self, workspace_id: str, limit: int = 50) -> tuple[TurnTrace, ...]:
        """The turns that something happened to last, the latest first."""
        async with self._database.read() as connection:
            ids = await _latest_turns(connection, workspace_id, limit)
            query = select(turn_table).where(turn_table.c.id.in_(ids))
            rows = {row["id"]: row for row in (await connection.execute(query)).mappings()}
            events = (await connection.execute(_turn_events(workspace_id, rows))).mappings().all()
            held = {row.turn_id: row.held_because for row in await connection.execute(_held_reasons(ids))}
        return tuple(_trace(rows[turn_id], events, held.get(turn_id)) for turn_id in ids if turn_id in rows)


BacklogQuery = tuple[ColumnElement[Any], tuple[ColumnElement[bool], ...]]
"""Since when a row has waited, and which rows wait."""


def _backlog_queries(workspace_id: str) -> tuple[BacklogQuery, BacklogQuery, BacklogQuery]:
    """The queue, the customers, the reviews."""
    queued = turn_table.c.status.in_((TurnStatus.QUEUED, TurnStatus.DECIDED))
    live = conversations.c.status.in_(
        (ConversationStatus.OPEN, ConversationStatus.PENDING, ConversationStatus.ASSIGNED)
    )
    since = conversations.c.waiting_since
    pending = reviews.c.status == ReviewStatus.PENDING
    return (
        (turn_table.c.created_at, (turn_table.c.workspace_id == workspace_id, queued)),
        (since, (conversations.c.workspace_id == workspace_id, live, since.is_not(None))),
        (reviews.c.created_at, (reviews.c.workspace_id == workspace_id, pending)),
    )


async def _backlog(
    connection: AsyncConnection, since: ColumnElement[Any], conditions: tuple[ColumnElement[bool], ...]
) -> Backlog:
    count, oldest = (await connection.execute(select(func.count(), func.min(since)).where(*conditions))).one()
    return Backlog(count, (clock.now() - oldest).total_seconds() if oldest else None)


def _recent_deliveries(workspace_id: str) -> Select[Any, Any, int]:
    return (
        select(deliveries.c.channel, deliveries.c.status, func.count())
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(messages.c.workspace_id == workspace_id, messages.c.created_at > clock.now() - RECENT_PERIOD)
        .group_by(deliveries.c.channel, deliveries.c.status)
    )


def _documents(workspace_id: str) -> Select[Any, int]:
    query = select(documents.c.status, func.count()).where(documents.c.workspace_id == workspace_id)
    return query.group_by(documents.c.status)


def _finished_turns(workspace_id: str) -> Select[Any]:
    """Ended turns, each with its last draft and the decision on that."""
    last = (
        select(func.max(drafts.c.version)).where(drafts.c.turn_id == turn_table.c.id).correlate(turn_table)
    ).scalar_subquery()
    columns: list[Any] = [turn_table, decisions.c.kind.label("decision")]
    columns += [drafts.c[name] for name in ("version", "confidence", "triage", "model", "prompt_version")]
    return (
        select(*columns)
        .outerjoin(drafts, and_(drafts.c.turn_id == turn_table.c.id, drafts.c.version == last))
        .outerjoin(reviews, reviews.c.draft_id == drafts.c.id)
        .outerjoin(decisions, decisions.c.review_id == reviews.c.id)
        .where(turn_table.c.workspace_id == workspace_id, turn_table.c.finished_at.is_not(None))
    )


def _summary(row: RowMapping) -> ProcessSummary:
    triage = Triage.model_validate(row["triage"]) if row["triage"] else None
    return ProcessSummary(
        turn_id=row["id"],
        conversation_id=row["conversation_id"],
        status=TurnStatus(row["status"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        version=row["version"],
        confidence=row["confidence"],
        intent=triage.intent if triage else None,
        priority=triage.priority if triage else None,
        model=row["model"],
        prompt_version=row["prompt_version"],
        decision=DecisionKind(row["decision"]) if row["decision"] else None,
    )


async def _latest_turns(connection: AsyncConnection, workspace_id: str, limit: int) -> list[str]:
    """By the audit trail, which is indexed by time."""
    query = (
        select(audit_events.c.turn_id)
        .where(audit_events.c.workspace_id == workspace_id)
        .order_by(audit_events.c.at.desc(), audit_events.c.id)
        .limit(limit * EVENTS_PER_TURN)
    )
    found = (turn_id for turn_id in (await connection.execute(query)).scalars() if turn_id)
    return list(dict.fromkeys(found))[:limit]


def _turn_events(workspace_id: str, rows: Mapping[str, RowMapping]) -> Select[Any]:
    conversation_ids = {row["conversation_id"] for row in rows.values()}
    return (
        select(audit_events)
        .where(
            audit_events.c.workspace_id == workspace_id,
            # The trail is indexed by conversation, not by turn.
            audit_events.c.conversation_id.in_(conversation_ids),
            audit_events.c.turn_id.in_(list(rows)),
        )
        .order_by(audit_events.c.at, audit_events.c.id)
    )


def _held_reasons(turn_ids: list[str]) -> Select[Any, Any]:
    """A later version comes later, so that it stays in a dictionary."""
    query = select(reviews.c.turn_id, reviews.c.held_because).where(reviews.c.turn_id.in_(turn_ids))
    return query.order_by(reviews.c.version)


def _trace(row: RowMapping, events: Iterable[RowMapping], held: list[str] | None) -> TurnTrace:
    mine = [event for event in events if event["turn_id"] == row["id"]]
    said = [event["data"]["because"] for event in mine if event["data"].get("because")]
    return TurnTrace(
        turn_id=row["id"],
        conversation_id=row["conversation_id"],
        status=TurnStatus(row["status"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        attempts=row["attempts"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        reasons=tuple(held or (said[-1] if said else ())),
        steps=tuple(TraceEvent(event["kind"], event["at"]) for event in mine),
    )
