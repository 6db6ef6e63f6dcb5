"""The turn queue of a conversation: at most one turn is queued, and newer words supersede a waiting one.

The caller holds the conversation's lock (`messages.lock`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, bindparam, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.conversations.admission.fair_queue import virtual_time
from storage.database.tables import reviews, turns
from storage.records import ReviewStatus, TurnStatus, new_id

# Built once: making such a statement takes longer than running it.
POSTPONE_QUEUED = (
    update(turns)
    .where(turns.c.conversation_id == bindparam("conversation"), turns.c.status == TurnStatus.QUEUED)
    .values(due_at=bindparam("due"), due_set_at=bindparam("set_at"))
    .returning(turns.c.id, turns.c.due_at, turns.c.rank)
)
QUEUE = insert(turns)


@dataclass(frozen=True, slots=True)
class QueuedTurn:
    """A queued turn: when it is due and whom it is served before."""

    id: str
    due_at: datetime
    rank: int


async def queue_turn(
    connection: AsyncConnection, conversation: RowMapping, *, due_in: float = 0.0, rank: int | None = None
) -> str:
    """Insert a turn over everything the conversation's customer wrote and nobody answered.

    Without a rank of its own it joins the round that is being served.
    """
    turn_id = new_id()
    await connection.execute(
        QUEUE,
        {
            "id": turn_id,
            "workspace_id": conversation["workspace_id"],
            "conversation_id": conversation["id"],
            "status": TurnStatus.QUEUED,
            "rank": await virtual_time(connection) if rank is None else rank,
            "due_at": clock.now() + timedelta(seconds=due_in),
            "due_set_at": clock.now(),
            "created_at": clock.now(),
        },
    )
    return turn_id


async def postpone_queued(connection: AsyncConnection, conversation: RowMapping, due: datetime) -> QueuedTurn | None:
    """Let the queued turn run at another time, if there is one."""
    values = {"conversation": conversation["id"], "due": due, "set_at": clock.now()}
    postponed = await connection.execute(POSTPONE_QUEUED, values)
    row = postponed.one_or_none()
    return QueuedTurn(row.id, row.due_at, row.rank) if row else None


async def supersede_waiting(connection: AsyncConnection, conversation: RowMapping) -> None:
    """End the waiting turn and its review: newer words or a person have overtaken the draft."""
    overtaken = (
        update(turns)
        .where(turns.c.conversation_id == conversation["id"], turns.c.status == TurnStatus.WAITING)
        .values(status=TurnStatus.SUPERSEDED, finished_at=clock.now())
        .returning(turns.c.id)
    )
    for turn_id in (await connection.execute(overtaken)).scalars().all():
        await audit.record(
            connection,
            "turn.superseded",
            conversation["workspace_id"],
            conversation_id=conversation["id"],
            turn_id=turn_id,
        )
    await connection.execute(
        update(reviews)
        .where(reviews.c.conversation_id == conversation["id"], reviews.c.status == ReviewStatus.PENDING)
        .values(status=ReviewStatus.SUPERSEDED, closed_at=clock.now())
    )


async def end_queued(connection: AsyncConnection, conversation: RowMapping) -> QueuedTurn | None:
    """End the queued turn: it has nothing left to answer, or a new one answers it. Gives what it was."""
    ended = await connection.execute(
        update(turns)
        .where(turns.c.conversation_id == conversation["id"], turns.c.status == TurnStatus.QUEUED)
        .values(status=TurnStatus.SUPERSEDED, finished_at=clock.now())
        .returning(turns.c.id, turns.c.due_at, turns.c.rank)
    )
    row = ended.first()
    return QueuedTurn(row.id, row.due_at, row.rank) if row else None
