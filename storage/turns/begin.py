"""A turn's beginning: what it has to answer; and what a crash or a failure left of one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.conversations import messages
from storage.database.engine import Database
from storage.database.tables import (
    conversations,
    reviews,
    turns,
    workspaces,
)
from storage.errors import NotFoundError
from storage.records import (
    Author,
    ChannelName,
    ConversationStatus,
    Draft,
    Message,
    Mode,
    Outcome,
    Triage,
    TurnStatus,
    WorkspaceSettings,
)
from storage.turns import statements
from storage.turns.result import TurnResult

DECISION_PAUSE = timedelta(seconds=0.2)
"""How long a new turn waits for a decision of the same conversation that is still taking effect."""
UNFINISHED = (TurnStatus.QUEUED, TurnStatus.DECIDED)
LEFT_CHECKPOINTS = select(turns.c.id).where(
    turns.c.checkpointed, turns.c.status.in_((TurnStatus.DONE, TurnStatus.SUPERSEDED))
)


@dataclass(frozen=True, slots=True)
class TurnWork:
    """Everything one run over a turn needs, as of one moment."""

    turn_id: str
    workspace_id: str
    conversation_id: str
    channel: ChannelName
    created_at: datetime
    due_at: datetime
    restarts: int
    """Runs before this one that the customer's newer words have overtaken."""
    settings: WorkspaceSettings
    upto_seq: int
    question: str
    """The unanswered customer messages, joined by newlines; empty when a person answered them meanwhile."""
    history: tuple[Message, ...]
    summary: str
    bot_turns: int
    is_assigned: bool
    """A person has the conversation: the bot is silent."""
    obsolete_checkpoints: tuple[str, ...]
    """Earlier turns of the conversation whose checkpoints are no longer needed."""
    place_mode: Mode | None = None
    """The mode of the place within the channel, where it has its own."""
    unread_files: bool = False
    """The unanswered messages came with files that are not in the question."""

    def result(
        self, draft: Draft, triage: Triage, *, version: int = 1, held_because: tuple[str, ...] = ()
    ) -> TurnResult:
        """What this run came to."""
        return TurnResult(
            turn_id=self.turn_id,
            workspace_id=self.workspace_id,
            conversation_id=self.conversation_id,
            upto_seq=self.upto_seq,
            question=self.question,
            draft=draft,
            triage=triage,
            version=version,
            held_because=held_because,
        )

    needs_summary: bool = False
    """The history has grown to twice its length: the older half should go into the summary."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """The turn may not run before this time: the customer may still be typing, or a decision is on its way."""

    until: datetime


@dataclass(frozen=True, slots=True)
class UnfinishedTurn:
    """A turn whose job failed at every try."""

    turn_id: str
    workspace_id: str
    conversation_id: str
    created_at: datetime
    waiting_notice: str
    """What its customer is told."""


@dataclass(frozen=True, slots=True)
class DecidedTurn:
    """A turn whose newest review has a decision that has not taken effect yet."""

    upto_seq: int
    """The last message that it answers."""
    checkpoint_id: str | None
    """Where its graph stopped for that review."""
    channel: ChannelName


class Turns:
    """Begins turns; `storage.turns.completion` ends them."""

    def __init__(self, database: Database, history_messages: int = 12) -> None:
        self._database = database
        self._history_messages = history_messages

    async def begin(self, turn_id: str) -> TurnWork | NotYet | None:
        """What the turn has to answer; None when it needs no run any more."""
        async with self._database.read() as connection:
            row = await self._joined(connection, turn_id)
            if row is None or row["status"] != TurnStatus.QUEUED:
                return None
            if row["due_at"] > clock.now() and not clock.was_set_back_since(row["due_set_at"]):
                return NotYet(row["due_at"])
            return await self._work(connection, row)

    async def mark_checkpointed(self, turn_id: str) -> None:
        """Note that the checkpoint store is about to hold something of this turn: a crash leaves nothing unknown."""
        async with self._database.write() as connection:
            await connection.execute(update(turns).where(turns.c.id == turn_id).values(checkpointed=True))

    async def unmark_checkpointed(self, turn_ids: tuple[str, ...]) -> None:
        """Note that the checkpoint store holds nothing of these turns any more."""
        async with self._database.write() as connection:
            await connection.execute(update(turns).where(turns.c.id.in_(turn_ids)).values(checkpointed=False))

    async def leftover_checkpoints(self) -> tuple[str, ...]:
        """Ended turns whose checkpoints a crash left behind."""
        async with self._database.read() as connection:
            return tuple((await connection.execute(LEFT_CHECKPOINTS)).scalars().all())

    async def decided_turn(self, turn_id: str, version: int) -> DecidedTurn | None:
        """The turn that the decision on this version is about; None if it has taken effect already."""
        newest = select(func.max(reviews.c.version)).where(reviews.c.turn_id == turn_id).scalar_subquery()
        query = (
            select(turns.c.upto_seq, turns.c.checkpoint_id, conversations.c.channel)
            .join(conversations, conversations.c.id == turns.c.conversation_id)
            .where(turns.c.id == turn_id, turns.c.status == TurnStatus.DECIDED, newest == version)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return DecidedTurn(row.upto_seq, row.checkpoint_id, row.channel) if row else None

    async def work_of(self, turn_id: str) -> TurnWork:
        """What a turn with a review was about. Raises NotFoundError."""
        async with self._database.read() as connection:
            row = await self._joined(connection, turn_id)
            work = await self._work(connection, row) if row else None
        if not isinstance(work, TurnWork):
            raise NotFoundError(f"there is no turn {turn_id} to go on with")
        return work

    async def queued_turn(self, conversation_id: str) -> str | None:
        """The turn that waits for its job in a conversation."""
        query = select(turns.c.id).where(
            turns.c.conversation_id == conversation_id, turns.c.status == TurnStatus.QUEUED
        )
        async with self._database.read() as connection:
            turn_id: str | None = (await connection.execute(query)).scalar_one_or_none()
        return turn_id

    async def unfinished(self, job_id: str, is_review: bool) -> UnfinishedTurn | None:
        """An unfinished turn, by its own id or its review's."""
        query = (
            select(turns, workspaces.c.settings)
            .join(workspaces, workspaces.c.id == turns.c.workspace_id)
            .where(turns.c.id == _turn_of(job_id, is_review), turns.c.status.in_(UNFINISHED))
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        notice = WorkspaceSettings.model_validate(row.settings).waiting_notice
        return UnfinishedTurn(row.id, row.workspace_id, row.conversation_id, row.created_at, notice)

    async def end_failed(self, job_id: str, is_review: bool) -> None:
        """End a turn that failed at every try; the conversation has gone to a person."""
        async with self._database.write() as connection:
            ended = await connection.execute(
                update(turns)
                .where(turns.c.id == _turn_of(job_id, is_review), turns.c.status.in_(UNFINISHED))
                .values(status=TurnStatus.DONE, outcome=Outcome.HANDOFF, finished_at=clock.now())
                .returning(turns.c.id, turns.c.workspace_id, turns.c.conversation_id)
            )
            for turn in ended:
                await audit.record(
                    connection,
                    f"turn.{Outcome.HANDOFF}",
                    turn.workspace_id,
                    conversation_id=turn.conversation_id,
                    turn_id=turn.id,
                    data={"failed": True},
                )

    async def _joined(self, connection: AsyncConnection, turn_id: str) -> RowMapping | None:
        found = await connection.execute(statements.JOINED, {"turn_id": turn_id})
        return found.mappings().one_or_none()

    async def _work(self, connection: AsyncConnection, row: RowMapping) -> TurnWork | NotYet:
        earlier = await connection.execute(
            statements.CHECKPOINTED, {"conversation_id": row["conversation_id"], "turn_id": row["id"]}
        )
        others = [(str(item.id), item.status) for item in earlier]
        if any(status == TurnStatus.DECIDED for _, status in others):
            return NotYet(clock.now() + DECISION_PAUSE)
        texts = await self._texts(connection, row)
        fresh = [text for text in texts if text.author is Author.CUSTOMER and text.seq > row["answered_seq"]]
        history = tuple(text for text in texts if text not in fresh)[-2 * self._history_messages :]
        return TurnWork(
            turn_id=row["id"],
            workspace_id=row["workspace_id"],
            conversation_id=row["conversation_id"],
            channel=row["channel"],
            created_at=row["created_at"],
            due_at=row["due_at"],
            restarts=row["attempts"],
            settings=WorkspaceSettings.model_validate(row["settings"]),
            upto_seq=row["customer_seq"],
            question="\n".join(text.text for text in fresh),
            history=history,
            needs_summary=len(history) >= 2 * self._history_messages - 2,
            summary=row["summary"],
            bot_turns=row["bot_turns"],
            is_assigned=row["conversation_status"] == ConversationStatus.ASSIGNED,
            obsolete_checkpoints=tuple(turn_id for turn_id, status in others if status != TurnStatus.WAITING),
            place_mode=Mode(row["place_mode"]) if row["place_mode"] else None,
            unread_files=any(text.attachments for text in fresh),
        )

    async def _texts(self, connection: AsyncConnection, row: RowMapping) -> list[Message]:
        span = {
            "conversation_id": row["conversation_id"],
            "after": max(row["summary_seq"], row["answered_seq"] - 3 * self._history_messages),
            "upto": row["customer_seq"],
        }
        found = await connection.execute(statements.TEXTS, span)
        return [messages.plain_message_of(item) for item in found.mappings()]


def _turn_of(job_id: str, is_review: bool) -> Any:
    """The turn's id, found by the review's if the job was about a decision."""
    return select(reviews.c.turn_id).where(reviews.c.id == job_id).scalar_subquery() if is_review else job_id
