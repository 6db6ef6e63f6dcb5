"""Accepting a customer's message: message, conversation and turn in one transaction, whatever arrives twice."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.conversations import messages
from storage.conversations.admission import overload_notices
from storage.conversations.admission.backpressure import BacklogMonitor
from storage.conversations.admission.rate_limit import Share, Shares, served_rank
from storage.database.engine import Database
from storage.database.tables import (
    conversations,
    customers,
    early_changes,
    reviews,
    turns,
)
from storage.database.tables import messages as message_table
from storage.database.upsert import insert_into
from storage.errors import TooManyMessagesError
from storage.records import (
    Author,
    ConversationStatus,
    Incoming,
    Priority,
    ReviewStatus,
    TurnStatus,
    new_id,
)

FIRST_LINE_LENGTH = 140
SUBJECT_LENGTH = 80
DECISION_PAUSE = timedelta(seconds=0.2)
"""How long a new turn waits for a decision of the same conversation that is still taking effect."""

# Built once: making such a statement takes longer than running it.
KNOWN = select(message_table).where(
    message_table.c.workspace_id == bindparam("workspace_id"),
    message_table.c.channel == bindparam("channel"),
    message_table.c.external_id == bindparam("external_id"),
)
LIVE = (
    select(conversations)
    .where(
        conversations.c.workspace_id == bindparam("workspace_id"),
        conversations.c.channel == bindparam("channel"),
        conversations.c.thread == bindparam("thread"),
        conversations.c.status != ConversationStatus.CLOSED,
    )
    .with_for_update()
)
TAKE = update(conversations).where(conversations.c.id == bindparam("conversation"))
PUSH_BACK = (
    update(turns)
    .where(turns.c.conversation_id == bindparam("conversation"), turns.c.status == TurnStatus.QUEUED)
    .values(due_at=bindparam("due"))
    .returning(turns.c.id, turns.c.rank)
)
QUEUE = insert(turns)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an incoming message."""

    message_id: str
    conversation_id: str
    workspace_id: str
    seq: int
    turn_id: str | None
    """None: a person owns the conversation, or the message was a repeat or was not kept."""
    repeated: bool = False
    told: bool = False
    """The conversation has a notice to deliver: this takes longer, or the message was not kept."""
    wait: float = 0.0
    """Seconds until the turn may run, beyond the pause for gathering: too much was written at once."""
    rank: int = 0
    """Of the turn: lower ones are served first."""


@dataclass(frozen=True, slots=True)
class Queued:
    """The place of a turn in the queue."""

    due_at: datetime
    rank: int


class MessageIntake:
    """Keeps incoming messages; the adapter acknowledges after `accept` returned."""

    def __init__(self, database: Database, shares: Shares, load: BacklogMonitor) -> None:
        self._database = database
        self._shares = shares
        self._load = load

    async def accept(self, incoming: Incoming, gather_seconds: float = 0.0) -> Accepted:
        """Keep a message once; a second call with the same external id gives the first result.

        A message that was deleted before it arrived is not kept: the result then names no conversation. Neither is
        one beyond all limits: on the web this raises TooManyMessagesError; elsewhere, where a message cannot be given
        back, the customer is told once.
        """
        try:
            return await self._accept(incoming, gather_seconds)
        except IntegrityError:
            # The same message came twice at the same moment: the one that lost finds the other's row.
            return await self._accept(incoming, gather_seconds)
        except TooManyMessagesError as error:
            if incoming.channel == "web":
                raise
            return await self._refuse(incoming, error.retry_after)

    async def _accept(self, incoming: Incoming, gather_seconds: float) -> Accepted:
        async with self._database.write() as connection:
            if known := await self._known(connection, incoming):
                return known
            corrected = await self._corrected(connection, incoming)
            if corrected is None:
                return Accepted("", "", incoming.workspace_id, 0, None, repeated=True)
            incoming = corrected
            conversation = await self._conversation(connection, incoming)
            return await self._take(connection, conversation, incoming, gather_seconds)

    async def open(self, incoming: Incoming) -> str:
        """Start a conversation before its first text (the web chat does); gives the conversation's id."""
        async with self._database.write() as connection:
            return str((await self._conversation(connection, incoming))["id"])

    async def _known(self, connection: AsyncConnection, incoming: Incoming) -> Accepted | None:
        keys = {
            "workspace_id": incoming.workspace_id,
            "channel": incoming.channel,
            "external_id": incoming.external_id,
        }
        row = (await connection.execute(KNOWN, keys)).mappings().one_or_none()
        if row is None:
            return None
        return Accepted(row["id"], row["conversation_id"], row["workspace_id"], row["seq"], None, repeated=True)

    async def _corrected(self, connection: AsyncConnection, incoming: Incoming) -> Incoming | None:
        """The message as it was edited before it arrived; None if it was deleted."""
        if incoming.channel == "web":
            return incoming
        query = select(early_changes.c.text).where(
            early_changes.c.workspace_id == incoming.workspace_id,
            early_changes.c.channel == incoming.channel,
            early_changes.c.external_id == incoming.external_id,
        )
        change = (await connection.execute(query)).one_or_none()
        if change is None:
            return incoming
        return None if change.text is None else replace(incoming, text=change.text)

    async def _conversation(self, connection: AsyncConnection, incoming: Incoming) -> RowMapping:
        keys = {"workspace_id": incoming.workspace_id, "channel": incoming.channel, "thread": incoming.thread}
        if row := (await connection.execute(LIVE, keys)).mappings().one_or_none():
            return row
        customer_id = await self._customer(connection, incoming)
        created = insert_into(connection, conversations).values(
            id=new_id(),
            workspace_id=incoming.workspace_id,
            channel=incoming.channel,
            thread=incoming.thread,
            place=incoming.place,
            customer_id=customer_id,
            status=ConversationStatus.OPEN,
            subject=incoming.subject[:SUBJECT_LENGTH],
            priority=Priority.MEDIUM,
            created_at=clock.now(),
            updated_at=clock.now(),
        )
        # Two first messages of one thread may race: the loser finds the winner's row.
        await connection.execute(created.on_conflict_do_nothing())
        return (await connection.execute(LIVE, keys)).mappings().one()

    async def _customer(self, connection: AsyncConnection, incoming: Incoming) -> str:
        row = insert_into(connection, customers).values(
            id=new_id(),
            workspace_id=incoming.workspace_id,
            channel=incoming.channel,
            external_id=incoming.customer_external_id,
            name=incoming.customer_name[:200],
            email=incoming.customer_email,
            created_at=clock.now(),
        )
        key = ["workspace_id", "channel", "external_id"]
        # Setting the id to itself makes RETURNING give the existing row's.
        kept = row.on_conflict_do_update(index_elements=key, set_={"id": customers.c.id}).returning(customers.c.id)
        return str((await connection.execute(kept)).scalar_one())

    async def _take(
        self, connection: AsyncConnection, conversation: RowMapping, incoming: Incoming, gather_seconds: float
    ) -> Accepted:
        seq = conversation["last_seq"] + 1
        message_id = await messages.append(
            connection,
            conversation,
            seq,
            Author.CUSTOMER,
            incoming.text,
            external_id=incoming.external_id,
            attachments=incoming.attachments,
        )
        owned = conversation["status"] == ConversationStatus.ASSIGNED
        await connection.execute(
            TAKE,
            {
                "conversation": conversation["id"],
                "last_seq": seq,
                "customer_seq": seq,
                "status": ConversationStatus.ASSIGNED if owned else ConversationStatus.OPEN,
                "first_line": first_line(incoming.text),
                "subject": conversation["subject"] or first_line(incoming.text, SUBJECT_LENGTH),
                "updated_at": clock.now(),
                "waiting_since": conversation["waiting_since"] or clock.now(),
                "resolved_at": None,
            },
        )
        if owned:
            share, turn_id = await self._share(connection, conversation, new_turn=False), None
        else:
            share, turn_id = await self._turn(connection, conversation, gather_seconds)
        await audit.record(
            connection,
            "message.accepted",
            incoming.workspace_id,
            conversation_id=conversation["id"],
            turn_id=turn_id,
            data={"message_id": message_id, "seq": seq} | ({"waits": round(share.wait, 1)} if share.wait else {}),
        )
        told = turn_id is not None and await self._tell(connection, conversation, share)
        return Accepted(
            message_id,
            conversation["id"],
            incoming.workspace_id,
            seq,
            turn_id,
            told=told,
            wait=share.wait,
            rank=share.rank,
        )

    async def _turn(
        self, connection: AsyncConnection, conversation: RowMapping, gather_seconds: float
    ) -> tuple[Share, str]:
        """The queued turn that answers everything unanswered, started or pushed back; a waiting one is overtaken."""
        due = clock.now() + timedelta(seconds=gather_seconds)
        pushing = {"conversation": conversation["id"], "due": due}
        if queued := (await connection.execute(PUSH_BACK, pushing)).one_or_none():
            share = await self._share(connection, conversation, new_turn=False)
            if share.wait:
                later = max(due, clock.now() + timedelta(seconds=share.wait))
                await connection.execute(PUSH_BACK, pushing | {"due": later})
            return replace(share, rank=queued.rank), str(queued.id)
        if conversation["status"] == ConversationStatus.PENDING:
            await supersede_waiting(connection, conversation)
        share = await self._share(connection, conversation, new_turn=True)
        due_in = max(gather_seconds, share.wait)
        return share, await queue_turn(connection, conversation, due_in=due_in, rank=share.rank)

    async def _share(self, connection: AsyncConnection, conversation: RowMapping, *, new_turn: bool) -> Share:
        return await self._shares.take(
            connection, conversation["workspace_id"], conversation["customer_id"], new_turn=new_turn
        )

    async def _tell(self, connection: AsyncConnection, conversation: RowMapping, share: Share) -> bool:
        """Whether the customer has been told that the answer takes longer."""
        if share.wait:
            return share.to_tell and await overload_notices.tell_paced(connection, conversation)
        return await self._load.is_busy(connection) and await overload_notices.tell_busy(connection, conversation)

    async def _refuse(self, incoming: Incoming, retry_after: int) -> Accepted:
        """Keep nothing of a message but, once per burst, the notice in its thread."""
        async with self._database.write() as connection:
            customer_id = await self._customer(connection, incoming)
            told = await self._shares.refuse(connection, incoming.workspace_id, customer_id, retry_after)
            conversation_id = ""
            if told:
                conversation = await self._conversation(connection, incoming)
                conversation_id = str(conversation["id"])
                await overload_notices.tell_refused(connection, conversation, retry_after)
                await audit.record(
                    connection, "message.refused", incoming.workspace_id, conversation_id=conversation_id
                )
        return Accepted("", conversation_id, incoming.workspace_id, 0, None, repeated=True, told=told)


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
            "rank": await served_rank(connection) if rank is None else rank,
            "due_at": clock.now() + timedelta(seconds=due_in),
            "created_at": clock.now(),
        },
    )
    return turn_id


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


async def end_queued(connection: AsyncConnection, conversation: RowMapping) -> Queued | None:
    """A queued turn of this conversation has nothing left to answer, or a new one answers it: what it was."""
    ended = await connection.execute(
        update(turns)
        .where(turns.c.conversation_id == conversation["id"], turns.c.status == TurnStatus.QUEUED)
        .values(status=TurnStatus.SUPERSEDED, finished_at=clock.now())
        .returning(turns.c.due_at, turns.c.rank)
    )
    row = ended.first()
    return Queued(row.due_at, row.rank) if row else None


def first_line(text: str, length: int = FIRST_LINE_LENGTH) -> str:
    """The first line that is not empty, cut to `length` characters."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= length else line[: length - 1] + "…"
