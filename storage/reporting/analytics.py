"""The numbers of a workspace over a span of time, counted from its rows."""

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

LONGEST = timedelta(days=366)
SAMPLE = 20_000
"""Medians rest on at most this many of the newest values, so that a report's cost is bounded."""
AUTHORITY = (LabelSource.AUDIT, LabelSource.DECISION, LabelSource.VOTE)
"""Whose word about a draft counts when several disagree, strongest first."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in seconds; None when it never happened."""

    count: int
    median: float | None
    p90: float | None
    """Nine of ten took no longer."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of all finished turns, 0 to 1; they add up to 1, or are all 0 without turns."""

    automatic: float
    reviewed: float
    handed_over: float
    """A person answers by hand, or took over while the draft was made."""
    dismissed: float


@dataclass(frozen=True, slots=True)
class Votes:
    """Customers' votes on replies."""

    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Labelled:
    """Drafts that somebody called right or wrong."""

    right: int
    wrong: int

    @property
    def error(self) -> float | None:
        """The share of wrong ones, 0 to 1; None without labels."""
        labelled = self.right + self.wrong
        return self.wrong / labelled if labelled else None


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of a report; turns by the day they ended."""

    day: date
    messages_in: int
    messages_out: int
    conversations: int
    automatic: int
    reviewed: int
    handed_over: int
    dismissed: int


@dataclass(frozen=True, slots=True)
class Report:
    """What happened from `since` to before `until`."""

    since: datetime
    until: datetime
    messages_in: int
    """Texts of customers."""
    messages_out: int
    """Replies of the bot and of agents; no notes or system lines."""
    conversations: int
    """Conversations that began."""
    turns: Mapping[Outcome, int]
    """Finished turns; every outcome is there."""
    shares: Shares
    decisions: Mapping[DecisionKind, int]
    """Every kind is there."""
    first_reply: Spread
    """From the first customer message to the first reply, of conversations that began in the span."""
    review_wait: Spread
    """From a review's opening to its decision, of decisions in the span."""
    intents: Mapping[str, int]
    """Conversations that began, by their latest intent, the most frequent first."""
    votes: Votes
    labels: Mapping[LabelSource, Labelled]
    """Every source is there."""
    automatic: Labelled
    """Replies that went out alone, by the strongest label that each has got so far; `error` is their error rate."""
    days: tuple[Day, ...]
    """Every day of the span, also those without events."""


class Analytics:
    """Reads reports; the same numbers on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, workspace_id: str, since: datetime, until: datetime) -> Report:
        """The workspace's numbers. Raises InvalidError unless the aware span is above 0 and at most 366 days."""
        span = _Span(self._database.is_sqlite, workspace_id, since, until)
        async with self._database.read() as connection:
            texts = await _counts(connection, span.by_day(messages, messages.c.author).where(*_SPOKEN))
            begun = await _counts(connection, span.by_day(conversations, conversations.c.channel))
            ended = await _counts(connection, span.by_day(turns, turns.c.outcome, turns.c.finished_at))
            decided = await _counts(connection, span.by_day(decisions, decisions.c.kind))
            voted = await _counts(connection, span.by_day(feedback, feedback.c.vote))
            intents = await _counts(connection, span.by_day(conversations, conversations.c.intent))
            labelled = (await connection.execute(_labelled(span))).all()
            first_replies = (await connection.execute(_first_replies(span))).all()
            waits = (await connection.execute(_waits(span))).all()
            automatic = (await connection.execute(_automatic(span))).all()
        outcomes = {outcome: ended.total(outcome) for outcome in Outcome}
        return Report(
            since=since,
            until=until,
            messages_in=texts.total(Author.CUSTOMER),
            messages_out=texts.total(Author.BOT, Author.AGENT),
            conversations=begun.total(),
            turns=MappingProxyType(outcomes),
            shares=_shares(outcomes),
            decisions=MappingProxyType({kind: decided.total(kind) for kind in DecisionKind}),
            first_reply=_spread(first_replies),
            review_wait=_spread(waits),
            intents=MappingProxyType(dict(intents.by_value().most_common())),
            votes=Votes(voted.total("up"), voted.total("down")),
            labels=MappingProxyType(_by_source(labelled)),
            automatic=_strongest(automatic),
            days=tuple(_day(day, texts, begun, ended) for day in span.days()),
        )


_SPOKEN = (messages.c.visibility == Visibility.PUBLIC, messages.c.author != Author.SYSTEM)
_HANDED_OVER = (Outcome.HANDOFF, Outcome.SILENCED)


@dataclass(frozen=True, slots=True)
class _Span:
    """Whose rows, and from when to when."""

    sqlite: bool
    workspace_id: str
    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise InvalidError("The times need a zone, such as 2030-01-31T00:00:00Z.")
        if not timedelta() < self.until - self.since <= LONGEST:
            raise InvalidError(f"`until` must be after `since`, by at most {LONGEST.days} days.")

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


class _Counts:
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


async def _counts(connection: AsyncConnection, query: Select[str, Any, int]) -> _Counts:
    return _Counts(await connection.execute(query))


def _day(day: date, texts: _Counts, begun: _Counts, ended: _Counts) -> Day:
    return Day(
        day=day,
        messages_in=texts.on(day, Author.CUSTOMER),
        messages_out=texts.on(day, Author.BOT, Author.AGENT),
        conversations=begun.on(day),
        automatic=ended.on(day, Outcome.SENT),
        reviewed=ended.on(day, Outcome.REVIEWED),
        handed_over=ended.on(day, *_HANDED_OVER),
        dismissed=ended.on(day, Outcome.DISMISSED),
    )


def _shares(outcomes: Mapping[Outcome, int]) -> Shares:
    turns_ended = sum(outcomes.values()) or 1
    return Shares(
        automatic=outcomes[Outcome.SENT] / turns_ended,
        reviewed=outcomes[Outcome.REVIEWED] / turns_ended,
        handed_over=sum(outcomes[outcome] for outcome in _HANDED_OVER) / turns_ended,
        dismissed=outcomes[Outcome.DISMISSED] / turns_ended,
    )


def _first_replies(span: _Span) -> Select[datetime, datetime]:
    """(asked, replied) of conversations; the web chat opens one before the first text, which would count as waiting."""
    return (
        select(func.min(messages.c.created_at), conversations.c.first_reply_at)
        .join(messages, messages.c.conversation_id == conversations.c.id)
        .where(*span.holds(conversations), conversations.c.first_reply_at.is_not(None))
        .where(messages.c.author == Author.CUSTOMER)
        .group_by(conversations.c.id, conversations.c.first_reply_at, conversations.c.created_at)
        .order_by(conversations.c.created_at.desc())
        .limit(SAMPLE)
    )


def _waits(span: _Span) -> Select[datetime, datetime]:
    return (
        select(reviews.c.created_at, decisions.c.created_at)
        .join(reviews, reviews.c.id == decisions.c.review_id)
        .where(*span.holds(decisions))
        .order_by(decisions.c.created_at.desc())
        .limit(SAMPLE)
    )


def _labelled(span: _Span) -> Select[str, bool, int]:
    return (
        select(labels.c.source, labels.c.correct, func.count())
        .where(*span.holds(labels))
        .group_by(labels.c.source, labels.c.correct)
    )


def _automatic(span: _Span) -> Select[str, str, bool]:
    return (
        select(labels.c.draft_id, labels.c.source, labels.c.correct)
        .join(drafts, drafts.c.id == labels.c.draft_id)
        .join(turns, turns.c.id == drafts.c.turn_id)
        .where(*span.holds(turns, turns.c.finished_at), turns.c.outcome == Outcome.SENT)
        .order_by(turns.c.finished_at.desc(), labels.c.draft_id)
        .limit(SAMPLE)
    )


def _by_source(rows: Iterable[Row[str, bool, int]]) -> dict[LabelSource, Labelled]:
    counted = {(source, bool(correct)): int(count) for source, correct, count in rows}
    return {
        source: Labelled(right=counted.get((source, True), 0), wrong=counted.get((source, False), 0))
        for source in LabelSource
    }


def _strongest(rows: Iterable[Row[str, str, bool]]) -> Labelled:
    word: dict[str, tuple[int, bool]] = {}
    for draft_id, source, correct in rows:
        said = AUTHORITY.index(LabelSource(source)), bool(correct)
        word[draft_id] = min(word.get(draft_id, said), said)
    right = sum(correct for _, correct in word.values())
    return Labelled(right=right, wrong=len(word) - right)


def _spread(rows: Sequence[Row[datetime, datetime]]) -> Spread:
    seconds = sorted(max(0.0, (end - start).total_seconds()) for start, end in rows)
    if not seconds:
        return Spread(0, None, None)
    return Spread(len(seconds), statistics.median(seconds), seconds[math.ceil(0.9 * len(seconds)) - 1])
