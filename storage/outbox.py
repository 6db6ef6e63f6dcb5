"""Deliveries: replies on their way to a channel, one after the other per conversation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit
from storage.database import Database
from storage.messages import message_of, reading
from storage.records import ChannelName, Message
from storage.statuses import Author, ConversationStatus, DeliveryStatus
from storage.tables import conversations, customers, deliveries, messages

MAX_ERROR_LENGTH = 500

# Built once: making such a statement takes longer than running it.
OLDEST = (
    reading()
    .add_columns(
        deliveries.c.id.label("delivery_id"),
        deliveries.c.attempts,
        deliveries.c.next_at,
        conversations.c.thread,
        conversations.c.status.label("conversation_status"),
        customers.c.external_id.label("customer_external_id"),
    )
    .join(deliveries, deliveries.c.message_id == messages.c.id)
    .join(conversations, conversations.c.id == messages.c.conversation_id)
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


class Outbox:
    """Finds the next delivery of a conversation and notes how it went."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next(self, conversation_id: str) -> Outgoing | None:
        """The oldest pending delivery; the bot's own are cancelled while a person has the conversation."""
        while rows := await self._oldest(conversation_id):
            row = rows[0]
            silenced = (
                row["author"] == Author.BOT
                and row["member_id"] is None
                and row["conversation_status"] == ConversationStatus.ASSIGNED
            )
            if not silenced:
                return _outgoing(row, more=len(rows) > 1)
            await self._finish(row, DeliveryStatus.CANCELLED, error="a person has the conversation")
        return None

    async def begin(self, outgoing: Outgoing) -> None:
        """Note that a try is under way, before it is, so that a crash in the middle is seen at the next try."""
        query = (
            update(deliveries).where(deliveries.c.id == outgoing.delivery_id).values(attempts=deliveries.c.attempts + 1)
        )
        async with self._database.write() as connection:
            await connection.execute(query)

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
                    "finished_at": audit.now(),
                },
            )

    async def postpone(self, outgoing: Outgoing, until: datetime, error: str) -> None:
        """Try again later."""
        async with self._database.write() as connection:
            await connection.execute(
                update(deliveries)
                .where(deliveries.c.id == outgoing.delivery_id)
                .values(next_at=until, error=error[:MAX_ERROR_LENGTH])
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

    async def _finish(self, row: RowMapping, status: DeliveryStatus, error: str) -> None:
        ids = {"id": row["delivery_id"], "workspace_id": row["workspace_id"], "conversation_id": row["conversation_id"]}
        async with self._database.write() as connection:
            await _end(connection, ids, status, error)


async def _end(connection: AsyncConnection, row: dict[str, str], status: DeliveryStatus, error: str) -> None:
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.id == row["id"], deliveries.c.status == DeliveryStatus.PENDING)
        .values(status=status, error=error[:MAX_ERROR_LENGTH], finished_at=audit.now())
    )
    await audit.record(
        connection,
        f"delivery.{status}",
        row["workspace_id"],
        conversation_id=row["conversation_id"],
        data={"delivery_id": row["id"], "error": error[:MAX_ERROR_LENGTH]},
    )


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
    )
