"""Analytics by aggregation: the numbers of a workspace over a span of time, counted from its rows."""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Select, String, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database.engine import Database
from storage.database.tables import (
    conversations,
    decisions,
    drafts,
    feedback,
    labels,
    messages,
    reviews,
    turns,
)
from storage.errors import InvalidError
from storage.records import (
    Author,
    DecisionKind,
    LabelSource,
    Outcome,
    Visibility,
)
from storage.reporting.report import AnalyticsReport, DayCounts, DurationStats, LabelCounts, OutcomeShares, VoteCounts

MAX_SPAN = timedelta(days=366)
MAX_SAMPLE = 20_000
"""Medians rest on at most this many of the newest values, so that a report's cost is bounded."""
LABEL_PRECEDENCE = (LabelSource.AUDIT, LabelSource.DECISION, LabelSource.VOTE)
"""Whose word about a draft counts when several disagree, strongest first."""


class Analytics:
    """Reads reports; the same numbers on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, workspace_id: str, since: datetime, until: datetime) -> AnalyticsReport:
        """The workspace's numbers. Raises InvalidError unless the aware span is above 0 and at most 366 days."""
        span = _ReportSpan(self._database.is_sqlite, workspace_id, since, until)
        async with self._database.read() as connection:
            texts = await _counts(connection, span.by_day(messages, messages.c.author).where(*_VISIBLE_TEXTS))
            begun = await _counts(connection, span.by_day(conversations, conversations.c.channel))
            ended = await _counts(connection, span.by_day(turns, turns.c.outcome, turns.c.finished_at))
            decided = await _counts(connection, span.by_day(decisions, decisions.c.kind))
            voted = await _counts(connection, span.by_day(feedback, feedback.c.vote))
            intents = await _counts(connection, span.by_day(conversations, conversations.c.intent))
            labelled = (await connection.execute(_label_counts(span))).all()
            first_replies = (await connection.execute(_first_replies(span))).all()
            waits = (await connection.execute(_review_waits(span))).all()
            automatic = (await connection.execute(_automatic_labels(span))).all()
        outcomes = {outcome: ended.total(outcome) for outcome in Outcome}
        return AnalyticsReport(
            since=since,
            until=until,
            messages_in=texts.total(Author.CUSTOMER),
            messages_out=texts.total(Author.BOT, Author.AGENT),
            conversations=begun.total(),
            turns=MappingProxyType(outcomes),
            shares=_shares(outcomes),
            decisions=MappingProxyType({kind: decided.total(kind) for kind in DecisionKind}),
            first_reply=_duration_stats(first_replies),
            review_wait=_duration_stats(waits),
            intents=MappingProxyType(dict(intents.by_value().most_common())),
            votes=VoteCounts(voted.total("up"), voted.total("down")),
            labels=MappingProxyType(_by_source(labelled)),
            automatic=_by_strongest_label(automatic),
            days=tuple(_day(day, texts, begun, ended) for day in span.days()),
        )


_VISIBLE_TEXTS = (messages.c.visibility == Visibility.PUBLIC, messages.c.author != Author.SYSTEM)
_BY_HAND = (Outcome.HANDOFF, Outcome.SILENCED)


@dataclass(frozen=True, slots=True)
class _ReportSpan:
    """Whose rows, and from when to when."""

    sqlite: bool
    workspace_id: str
    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise InvalidError("The times need a zone, such as 2030-01-31T00:00:00Z.")
        if not timedelta() < self.until - self.since <= MAX_SPAN:
            raise InvalidError(f"`until` must be after `since`, by at most {MAX_SPAN.days} days.")

    def holds(self, table: Table, at: Column[Any] | None = None) -> tuple[ColumnElement[bool], ...]:
        """The conditions for a row of this workspace and span."""
        at = table.c.created_at if at is None else at
        return table.c.workspace_id == self.workspace_id, at >= self.since, at < self.until

    def by_day(self, table: Table, value: Column[Any], at: Column[Any] | None = None) -> Select[str, Any, int]:
        """(day, value, count) of a table's rows."""
        at = table.c.created_at if at is None else at
        day = self._day_of(at).label("on_day")
        return select(day, value, func.count()).where(*self.holds(table, at)).group_by("on_day", value)

    def days(self) -> Iterable[date]:
        """Every day (UTC) that the span touches."""
        day, last = self.since.astimezone(UTC).date(), (self.until - timedelta.resolution).astimezone(UTC).date()
        while day <= last:
            yield day
            day += timedelta(days=1)

    def _day_of(self, at: Column[Any]) -> ColumnElement[str]:
        if self.sqlite:
            return func.strftime("%Y-%m-%d", at, type_=String)
        return func.to_char(func.timezone("UTC", at), "YYYY-MM-DD", type_=String)


class _DailyCounter:
    """How often each value occurred on each day."""

    def __init__(self, rows: Iterable[Row[str, Any, int]]) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for day, value, count in rows:
            if value is not None:
                self._counts[day][value] += count

    def total(self, *values: str) -> int:
        """Over all days; of all values when none is named."""
        return _of(self.by_value(), values)

    def on(self, day: date, *values: str) -> int:
        """On one day."""
        return _of(self._counts.get(day.isoformat(), Counter()), values)

    def by_value(self) -> Counter[str]:
        """Over all days."""
        return sum(self._counts.values(), Counter())


def _of(counter: Counter[str], values: Sequence[str]) -> int:
    return sum(counter[value] for value in values) if values else counter.total()


async def _counts(connection: AsyncConnection, query: Select[str, Any, int]) -> _DailyCounter:
    return _DailyCounter(await connection.execute(query))


def _day(day: date, texts: _DailyCounter, begun: _DailyCounter, ended: _DailyCounter) -> DayCounts:
    return DayCounts(
        day=day,
        messages_in=texts.on(day, Author.CUSTOMER),
        messages_out=texts.on(day, Author.BOT, Author.AGENT),
        conversations=begun.on(day),
        automatic=ended.on(day, Outcome.SENT),
        reviewed=ended.on(day, Outcome.REVIEWED),
        handed_over=ended.on(day, *_BY_HAND),
        dismissed=ended.on(day, Outcome.DISMISSED),
    )


def _shares(outcomes: Mapping[Outcome, int]) -> OutcomeShares:
    turns_ended = sum(outcomes.values()) or 1
    return OutcomeShares(
        automatic=outcomes[Outcome.SENT] / turns_ended,
        reviewed=outcomes[Outcome.REVIEWED] / turns_ended,
        handed_over=sum(outcomes[outcome] for outcome in _BY_HAND) / turns_ended,
        dismissed=outcomes[Outcome.DISMISSED] / turns_ended,
    )


def _first_replies(span: _ReportSpan) -> Select[datetime, datetime]:
    """(asked, replied) of conversations; the web chat opens one before the first text, which would count as waiting."""
    return (
        select(func.min(messages.c.created_at), conversations.c.first_reply_at)
        .join(messages, messages.c.conversation_id == conversations.c.id)
        .where(*span.holds(conversations), conversations.c.first_reply_at.is_not(None))
        .where(messages.c.author == Author.CUSTOMER)
        .group_by(conversations.c.id, conversations.c.first_reply_at, conversations.c.created_at)
        .order_by(conversations.c.created_at.desc())
        .limit(MAX_SAMPLE)
    )


def _review_waits(span: _ReportSpan) -> Select[datetime, datetime]:
    return (
        select(reviews.c.created_at, decisions.c.created_at)
        .join(reviews, reviews.c.id == decisions.c.review_id)
        .where(*span.holds(decisions))
        .order_by(decisions.c.created_at.desc())
        .limit(MAX_SAMPLE)
    )


def _label_counts(span: _ReportSpan) -> Select[str, bool, int]:
    return (
        select(labels.c.source, labels.c.correct, func.count())
        .where(*span.holds(labels))
        .group_by(labels.c.source, labels.c.correct)
    )


def _automatic_labels(span: _ReportSpan) -> Select[str, str, bool]:
    return (
        select(labels.c.draft_id, labels.c.source, labels.c.correct)
        .join(drafts, drafts.c.id == labels.c.draft_id)
        .join(turns, turns.c.id == drafts.c.turn_id)
        .where(*span.holds(turns, turns.c.finished_at), turns.c.outcome == Outcome.SENT)
        .order_by(turns.c.finished_at.desc(), labels.c.draft_id)
        .limit(MAX_SAMPLE)
    )


def _by_source(rows: Iterable[Row[str, bool, int]]) -> dict[LabelSource, LabelCounts]:
    counted = {(source, bool(correct)): int(count) for source, correct, count in rows}
    return {
        source: LabelCounts(right=counted.get((source, True), 0), wrong=counted.get((source, False), 0))
        for source in LabelSource
    }


def _by_strongest_label(rows: Iterable[Row[str, str, bool]]) -> LabelCounts:
    word: dict[str, tuple[int, bool]] = {}
    for draft_id, source, correct in rows:
        said = LABEL_PRECEDENCE.index(LabelSource(source)), bool(correct)
        word[draft_id] = min(word.get(draft_id, said), said)
    right = sum(correct for _, correct in word.values())
    return LabelCounts(right=right, wrong=len(word) - right)


def _duration_stats(rows: Sequence[Row[datetime, datetime]]) -> DurationStats:
    seconds = sorted(max(0.0, (end - start).total_seconds()) for start, end in rows)
    if not seconds:
        return DurationStats(0, None, None)
    return DurationStats(len(seconds), statistics.median(seconds), seconds[math.ceil(0.9 * len(seconds)) - 1])
