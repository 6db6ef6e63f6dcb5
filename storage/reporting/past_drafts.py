"""Replay data: past drafts with everything that policy looks at, to try other settings on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    ScalarSelect,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    or_,
    select,
)

from storage.conversations.drafts import draft_columns, draft_of
from storage.database.engine import Database
from storage.database.tables import conversations, decisions, drafts, messages, places, reviews, turns
from storage.records import (
    Author,
    ChannelName,
    DecisionKind,
    Draft,
    Mode,
    Outcome,
    Triage,
    Verdict,
    Visibility,
)


@dataclass(frozen=True, slots=True)
class PastDraft:
    """The first draft of an ended turn: redrafts were asked for by a person and never go out alone."""

    turn_id: str
    channel: ChannelName
    place_mode: Mode | None
    """The mode of the place within the channel, where it has its own now."""
    question: str
    draft: Draft
    triage: Triage
    bot_turns: int
    """Automatic replies before it since a member had last done something in the conversation."""
    unread_files: bool
    """The customer had sent files that only a person could look at."""
    held_because: tuple[str, ...]
    created_at: datetime
    decision: DecisionKind | None
    """What a person made of it; None: nobody decided, such as of a reply that went out alone."""


@dataclass(frozen=True, slots=True)
class ReplayedDraft:
    """A past draft, and what policy makes of it under other settings."""

    past: PastDraft
    verdict: Verdict


class PastDrafts:
    """Reads drafts as policy saw them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, workspace_id: str, limit: int) -> tuple[PastDraft, ...]:
        """Of the turns that ended last, the latest first."""
        query = _past_drafts().where(turns.c.workspace_id == workspace_id, turns.c.finished_at.is_not(None))
        query = query.order_by(turns.c.finished_at.desc(), turns.c.id.desc()).limit(limit)
        async with self._database.read() as connection:
            return tuple(map(_past_draft, (await connection.execute(query)).mappings()))


def _past_drafts() -> Select[Any]:
    columns: list[Any] = [
        turns.c.id.label("turn_id"),
        conversations.c.channel,
        places.c.mode.label("place_mode"),
        drafts.c.question,
        drafts.c.triage,
        drafts.c.created_at,
        _automatic_replies().label("bot_turns"),
        _unread_files().label("unread_files"),
        reviews.c.held_because,
        decisions.c.kind.label("decision"),
    ]
    its_place = and_(
        places.c.workspace_id == conversations.c.workspace_id,
        places.c.channel == conversations.c.channel,
        places.c.external_id == conversations.c.place,
    )
    return (
        select(*columns, *draft_columns())
        .join(conversations, conversations.c.id == turns.c.conversation_id)
        .join(drafts, and_(drafts.c.turn_id == turns.c.id, drafts.c.version == 1))
        .outerjoin(places, its_place)
        .outerjoin(reviews, reviews.c.draft_id == drafts.c.id)
        .outerjoin(decisions, decisions.c.review_id == reviews.c.id)
    )


def _automatic_replies() -> ScalarSelect[int]:
    """Replies that went out alone before the turn, after the last thing that a person did."""
    said, turn_of = messages.alias("said"), turns.alias("turn_of")
    done, decided = messages.alias("done"), turns.alias("decided")
    by_a_person = or_(
        and_(done.c.author == Author.AGENT, done.c.visibility == Visibility.PUBLIC),
        and_(done.c.author == Author.SYSTEM, done.c.member_id.is_not(None)),
        and_(done.c.author == Author.BOT, decided.c.outcome == Outcome.REVIEWED),
    )
    last_seq = (
        select(func.coalesce(func.max(done.c.seq), 0))
        .outerjoin(decided, decided.c.id == done.c.turn_id)
        .where(done.c.conversation_id == turns.c.conversation_id, done.c.seq <= turns.c.upto_seq, by_a_person)
        .correlate(turns)
        .scalar_subquery()
    )
    return (
        select(func.count())
        .select_from(said.join(turn_of, turn_of.c.id == said.c.turn_id))
        .where(
            said.c.conversation_id == turns.c.conversation_id,
            said.c.seq <= turns.c.upto_seq,
            said.c.seq > last_seq,
            said.c.author == Author.BOT,
            turn_of.c.outcome == Outcome.SENT,
        )
        .correlate(turns)
        .scalar_subquery()
    )


def _unread_files() -> ColumnElement[bool]:
    asked = messages.alias("asked")
    return (
        exists()
        .where(
            asked.c.conversation_id == turns.c.conversation_id,
            asked.c.turn_id == turns.c.id,
            asked.c.author == Author.CUSTOMER,
            # Without files it is null in JSON, which is not NULL.
            cast(asked.c.attachments, Text) != "null",
        )
        .correlate(turns)
    )


def _past_draft(row: RowMapping) -> PastDraft:
    return PastDraft(
        turn_id=row["turn_id"],
        channel=row["channel"],
        place_mode=Mode(row["place_mode"]) if row["place_mode"] else None,
        question=row["question"],
        draft=draft_of(row),
        triage=Triage.model_validate(row["triage"]),
        bot_turns=row["bot_turns"],
        unread_files=bool(row["unread_files"]),
        held_because=tuple(row["held_because"] or ()),
        created_at=row["created_at"],
        decision=DecisionKind(row["decision"]) if row["decision"] else None,
    )
