"""Deliveries: replies on their way to a channel, one after the other per conversation, each sent by one worker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.conversations import messages
from storage.conversations.messages import message_of, reading
from storage.database.engine import Database
from storage.database.tables import conversations, customers, deliveries
from storage.database.tables import messages as message_table
from storage.records import (
    Author,
    ChannelName,
    ConversationStatus,
    DeliveryStatus,
    Message,
    Visibility,
)

MAX_ERROR_LENGTH = 500
LEASE_SECONDS = 30.0
"""How long a try belongs to its worker after the worker was last heard of."""

# Built once: making such a statement takes longer than running it.
OLDEST = (
    reading()
    .add_columns(
        deliveries.c.id.label("delivery_id"),
        deliveries.c.attempts,
        deliveries.c.failures,
        deliveries.c.next_at,
        conversations.c.thread,
        conversations.c.status.label("conversation_status"),
        customers.c.external_id.label("customer_external_id"),
    )
    .join(deliveries, deliveries.c.message_id == message_table.c.id)
    .join(conversations, conversations.c.id == message_table.c.conversation_id)
    .join(customers, customers.c.id == conversations.c.customer_id)
    .where(
        deliveries.c.conversation_id == bindparam("conversation"),
        deliveries.c.status == DeliveryStatus.PENDING,
    )
    .order_by(deliveries.c.seq)
    .limit(2)
)
SENT = update(deliveries).where(deliveries.c.id == bindparam("delivery"), deliveries.c.status == DeliveryStatus.PENDING)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A reply as a channel gets it."""

    delivery_id: str
    """The same at every try: what a channel's own idempotency is keyed by."""
    workspace_id: str
    conversation_id: str
    channel: ChannelName
    thread: str
    customer_external_id: str
    message: Message
    attempts: int
    """Tries that were begun before this one; above 0, a channel without idempotency looks the reply up first."""
    not_before: datetime
    more: bool
    """Whether another one waits behind it."""
    failures: int = 0
    """Tries that went wrong, those aside at which the platform asked to wait."""
    turn_id: str | None = None
    """The turn that the reply ends; None: a person wrote it, or it is a notice."""


class Outbox:
    """Finds the next delivery of a conversation and notes how it went."""

    def __init__(self, database: Database, lease_seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._lease = timedelta(seconds=lease_seconds)

    async def next(self, conversation_id: str) -> Outgoing | None:
        """The oldest pending delivery; the bot's own are cancelled while a person has the conversation."""
        while rows := await self._oldest(conversation_id):
            row = rows[0]
            if not _is_silenced(row["author"], row["member_id"], row["conversation_status"]):
                return _outgoing(row, more=len(rows) > 1)
            await self._cancel(row)
        return None

    async def begin(self, outgoing: Outgoing) -> bool:
        """Take a delivery for one try, noted before it is made, so that a crash in the middle is seen at the next one.

        False: another worker has it or has ended it, or a person has taken the conversation over.
        """
        taken = (
            update(deliveries)
            .where(
                deliveries.c.id == outgoing.delivery_id,
                deliveries.c.status == DeliveryStatus.PENDING,
                deliveries.c.attempts == outgoing.attempts,
                deliveries.c.next_at == outgoing.not_before,
            )
            .values(attempts=deliveries.c.attempts + 1, next_at=clock.now() + self._lease)
        )
        async with self._database.write() as connection:
            conversation = await messages.lock(connection, outgoing.workspace_id, outgoing.conversation_id)
            message = outgoing.message
            if conversation is None or _is_silenced(message.author, message.member_id, conversation["status"]):
                return False
            return (await connection.execute(taken)).rowcount == 1

    @contextlib.asynccontextmanager
    async def holding(self, outgoing: Outgoing) -> AsyncIterator[None]:
        """Keep other workers away from a begun try for as long as it takes; a worker that dies lets go by itself."""
        renewing = asyncio.create_task(self._renew(outgoing))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def release(self) -> None:
        """Let every try go at the start of a desk that works alone: who held it is dead.

        Beside other workers nothing happens: they may be alive, and what the dead held is free after the lease.
        """
        if not self._database.is_sqlite:
            return
        begun = update(deliveries).where(deliveries.c.status == DeliveryStatus.PENDING, deliveries.c.attempts > 0)
        async with self._database.write() as connection:
            await connection.execute(begun.values(next_at=clock.now()))

    async def sent(self, outgoing: Outgoing, external_id: str | None) -> None:
        """The channel has it."""
        async with self._database.write() as connection:
            await connection.execute(
                SENT,
                {
                    "delivery": outgoing.delivery_id,
                    "status": DeliveryStatus.SENT,
                    "external_id": external_id,
                    "error": None,
                    "finished_at": clock.now(),
                },
            )

    async def postpone(
        self, outgoing: Outgoing, until: datetime, error: str, *, begun: bool = True, failed: bool = False
    ) -> None:
        """Try again later, unless another worker has begun a try meanwhile; `failed` counts this one.

        `begun`: whether this try was, or the delivery only looked at.
        """
        mine = (deliveries.c.status == DeliveryStatus.PENDING) & (deliveries.c.attempts == outgoing.attempts + begun)
        values = {"next_at": until, "error": error[:MAX_ERROR_LENGTH], "failures": outgoing.failures + failed}
        async with self._database.write() as connection:
            await connection.execute(
                update(deliveries).where(deliveries.c.id == outgoing.delivery_id, mine).values(values)
            )

    async def fail(self, outgoing: Outgoing, error: str) -> None:
        """Give up; the audit trail and the workbench say so."""
        row = {
            "id": outgoing.delivery_id,
            "workspace_id": outgoing.workspace_id,
            "conversation_id": outgoing.conversation_id,
        }
        async with self._database.write() as connection:
            await _end(connection, row, DeliveryStatus.FAILED, error)

    async def pending_conversations(self) -> list[tuple[str, str]]:
        """(workspace, conversation) of everything that waits to be delivered, for recovery at start."""
        query = (
            select(deliveries.c.workspace_id, deliveries.c.conversation_id)
            .where(deliveries.c.status == DeliveryStatus.PENDING)
            .distinct()
        )
        async with self._database.read() as connection:
            return [(row[0], row[1]) for row in await connection.execute(query)]

    async def _oldest(self, conversation_id: str) -> Sequence[RowMapping]:
        """The oldest pending delivery and the one behind it."""
        async with self._database.read() as connection:
            found = await connection.execute(OLDEST, {"conversation": conversation_id})
            return found.mappings().all()

    async def _renew(self, outgoing: Outgoing) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            await self.postpone(outgoing, clock.now() + self._lease, "")

    async def _cancel(self, row: RowMapping) -> None:
        """A person has the conversation: the bot's reply is not sent, and its question is unanswered again."""
        ids = {"id": row["delivery_id"], "workspace_id": row["workspace_id"], "conversation_id": row["conversation_id"]}
        async with self._database.write() as connection:
            conversation = await messages.lock(connection, row["workspace_id"], row["conversation_id"])
            if conversation is None or not _is_silenced(row["author"], row["member_id"], conversation["status"]):
                return
            if not await _end(connection, ids, DeliveryStatus.CANCELLED, "a person has the conversation"):
                return
            if not row["attempts"] and not _is_read_from_rows(row):
                await _unanswer(connection, conversation, row)


async def _unanswer(connection: AsyncConnection, conversation: RowMapping, reply: RowMapping) -> None:
    """Nobody has seen this reply: what it answered is answered if a person has written since, and else is open."""
    later = select(message_table.c.id).where(
        message_table.c.conversation_id == conversation["id"],
        message_table.c.seq > reply["seq"],
        message_table.c.author == Author.AGENT,
        message_table.c.visibility == Visibility.PUBLIC,
    )
    if (await connection.execute(later.limit(1))).first() is not None:
        return
    first = await connection.execute(
        select(func.min(message_table.c.seq)).where(
            message_table.c.conversation_id == conversation["id"],
            message_table.c.turn_id == reply["turn_id"],
            message_table.c.author == Author.CUSTOMER,
        )
    )
    seq = first.scalar_one()
    if seq is not None and seq <= conversation["answered_seq"]:
        change = update(conversations).where(conversations.c.id == conversation["id"])
        waiting_since = conversation["waiting_since"] or clock.now()
        await connection.execute(change.values(answered_seq=seq - 1, waiting_since=waiting_since))


async def _end(connection: AsyncConnection, row: dict[str, str], status: DeliveryStatus, error: str) -> bool:
    """Whether it was pending until now."""
    ended = await connection.execute(
        update(deliveries)
        .where(deliveries.c.id == row["id"], deliveries.c.status == DeliveryStatus.PENDING)
        .values(status=status, error=error[:MAX_ERROR_LENGTH], finished_at=clock.now())
    )
    if not ended.rowcount:
        return False
    await audit.record(
        connection,
        f"delivery.{status}",
        row["workspace_id"],
        conversation_id=row["conversation_id"],
        data={"delivery_id": row["id"], "error": error[:MAX_ERROR_LENGTH]},
    )
    return True


def _is_silenced(author: str, member_id: str | None, conversation_status: str) -> bool:
    """The bot's own words, while a person has the conversation; what a person approved goes out."""
    return author == Author.BOT and member_id is None and conversation_status == ConversationStatus.ASSIGNED


def _is_read_from_rows(row: RowMapping) -> bool:
    """On the web a reply is seen as soon as it is committed, delivered or not."""
    return bool(row["channel"] == "web")


def _outgoing(row: RowMapping, *, more: bool) -> Outgoing:
    return Outgoing(
        delivery_id=row["delivery_id"],
        workspace_id=row["workspace_id"],
        conversation_id=row["conversation_id"],
        channel=row["channel"],
        thread=row["thread"],
        customer_external_id=row["customer_external_id"],
        message=message_of(row),
        attempts=row["attempts"],
        not_before=row["next_at"],
        more=more,
        failures=row["failures"],
        turn_id=row["turn_id"],
    )
