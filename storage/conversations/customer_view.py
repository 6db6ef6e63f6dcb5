"""What the customer's side of a conversation needs to know, each in one quick look at the rows."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, RowMapping, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.conversations.messages import message_of, reading
from storage.database.engine import Database
from storage.database.tables import (
    conversations,
    customers,
    members,
    messages,
    turns,
)
from storage.errors import NotFoundError
from storage.records import (
    Author,
    ChannelName,
    ConversationStatus,
    Message,
    TurnStatus,
    Visibility,
)


@dataclass(frozen=True, slots=True)
class ConversationRef:
    """Whose conversation this is, and where its messages go: all that an access check needs."""

    conversation_id: str
    workspace_id: str
    channel: ChannelName
    thread: str
    customer_id: str
    customer_external_id: str
    status: ConversationStatus


@dataclass(frozen=True, slots=True)
class VisibleMessage:
    """A message, and the channel's own id of it."""

    message: Message
    external_id: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What changes when there is something new to show; equal snapshots mean that nothing has."""

    status: ConversationStatus
    assignee: str | None
    last_seq: int
    working: bool
    """Whether the desk is at work on a reply."""


@dataclass(frozen=True, slots=True)
class ReplyProgress:
    """How far the desk is with one of the customer's messages."""

    status: ConversationStatus
    ended: bool
    """The message's turn is over, whether with a reply or without."""
    reply: Message | None

    @property
    def waits_for_person(self) -> bool:
        """No reply yet, and the next one is a person's to send or release."""
        return self.reply is None and self.status in (ConversationStatus.PENDING, ConversationStatus.ASSIGNED)

    @property
    def settled(self) -> bool:
        """Waiting any longer is of no use: answered, a person's turn, or over without a reply."""
        return self.reply is not None or self.ended or self.status is not ConversationStatus.OPEN


class CustomerView:
    """Reads conversations as their customers follow them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ref(self, conversation_id: str) -> ConversationRef:
        """Whose conversation this is; NotFoundError if there is none."""
        query = (
            select(conversations, customers.c.external_id.label("customer_external_id"))
            .join(customers, customers.c.id == conversations.c.customer_id)
            .where(conversations.c.id == conversation_id)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise NotFoundError("There is no such conversation.")
        return _ref_of(row)

    async def conversation_of(self, message_id: str) -> str:
        """The conversation of a message; NotFoundError if there is none."""
        query = select(messages.c.conversation_id).where(messages.c.id == message_id)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).scalar_one_or_none()
        if found is None:
            raise NotFoundError("There is no such reply.")
        return str(found)

    async def known(self, ref: ConversationRef, external_id: str) -> str | None:
        """The id of the message that came with this external id, if one did."""
        query = select(messages.c.id).where(
            messages.c.workspace_id == ref.workspace_id,
            messages.c.channel == ref.channel,
            messages.c.external_id == external_id,
        )
        async with self._database.read() as connection:
            message_id: str | None = (await connection.execute(query)).scalar_one_or_none()
        return message_id

    async def visible_messages(
        self, ref: ConversationRef, *, after_seq: int = 0, internal: bool = False
    ) -> list[VisibleMessage]:
        """The messages in order; notes and system lines for members only with `internal`."""
        query = reading().where(
            messages.c.workspace_id == ref.workspace_id,
            messages.c.conversation_id == ref.conversation_id,
            messages.c.seq > after_seq,
        )
        if not internal:
            query = query.where(messages.c.visibility == Visibility.PUBLIC)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(messages.c.seq))).mappings()
            return [VisibleMessage(message_of(row), row["external_id"]) for row in rows]

    async def snapshot(self, ref: ConversationRef) -> Snapshot:
        """The conversation as it is now; one query, because every open chat asks each second."""
        query = (
            select(
                conversations.c.status,
                conversations.c.last_seq,
                members.c.name,
                _busy(conversations.c.id).label("working"),
            )
            .outerjoin(members, members.c.id == conversations.c.assignee_id)
            .where(conversations.c.id == ref.conversation_id)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one()
        status = ConversationStatus(row.status)
        # A turn that was under way when a person took over sends nothing.
        working = bool(row.working) and status is not ConversationStatus.ASSIGNED
        return Snapshot(status, row.name, row.last_seq, working)

    async def progress(self, message_id: str) -> ReplyProgress:
        """How far the desk is with this message of the customer; NotFoundError if there is none."""
        query = (
            select(messages.c.conversation_id, messages.c.seq, messages.c.turn_id, conversations.c.status)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(messages.c.id == message_id)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                raise NotFoundError("There is no such message.")
            reply = await self._reply(connection, row)
        return ReplyProgress(ConversationStatus(row["status"]), row["turn_id"] is not None, reply)

    async def _reply(self, connection: AsyncConnection, row: RowMapping) -> Message | None:
        """The reply of the message's own turn, or the first that an agent wrote by hand after it.

        A later reply may belong to an earlier message: the customer wrote on while it was being made.
        """
        query = (
            reading()
            .where(
                messages.c.conversation_id == row["conversation_id"],
                messages.c.author.in_((Author.BOT, Author.AGENT)),
                messages.c.visibility == Visibility.PUBLIC,
                messages.c.seq > row["seq"],
                or_(messages.c.turn_id == row["turn_id"], messages.c.turn_id.is_(None)),
            )
            .order_by(messages.c.seq)
            .limit(1)
        )
        found = (await connection.execute(query)).mappings().one_or_none()
        return message_of(found) if found else None


def _busy(conversation_id: ColumnElement[str]) -> ColumnElement[bool]:
    on_its_way = (TurnStatus.QUEUED, TurnStatus.DECIDED)
    return exists().where(turns.c.conversation_id == conversation_id, turns.c.status.in_(on_its_way))


def _ref_of(row: RowMapping) -> ConversationRef:
    return ConversationRef(
        conversation_id=row["id"],
        workspace_id=row["workspace_id"],
        channel=row["channel"],
        thread=row["thread"],
        customer_id=row["customer_id"],
        customer_external_id=row["customer_external_id"],
        status=ConversationStatus(row["status"]),
    )
