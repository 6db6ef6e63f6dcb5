"""Customers' second thoughts: an edited message is answered as it reads now, a deleted one is not answered."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, RowMapping, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.conversations import messages, turn_queue
from storage.database.engine import Database
from storage.database.tables import conversations, early_edits, turns
from storage.database.tables import messages as message_table
from storage.database.upsert import insert_into
from storage.records import (
    Author,
    ChannelName,
    ConversationStatus,
    Incoming,
    TurnStatus,
    Visibility,
    new_id,
)

DELETED = "(The customer deleted this message.)"
EARLY_EDITS_KEPT = timedelta(days=1)
"""How long a change waits for the message that it changes."""


@dataclass(frozen=True, slots=True)
class EditedMessage:
    """The conversation that a change was about, and the new turn over what is unanswered now."""

    conversation_id: str
    workspace_id: str
    turn_id: str | None
    """None: nothing is left to answer, it was answered already, or a person has the conversation."""


class MessageEdits:
    """Keeps edits and deletions; a change that comes before its message waits for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def edit(self, incoming: Incoming, gather_seconds: float = 0.0) -> EditedMessage | None:
        """Replace a message's text; None when that changes nothing yet."""
        text = incoming.text
        return await self._change(incoming.workspace_id, incoming.channel, incoming.external_id, text, gather_seconds)

    async def delete(
        self, workspace_id: str, channel: ChannelName, external_id: str, gather_seconds: float = 0.0
    ) -> EditedMessage | None:
        """Forget a message's text; None when that changes nothing yet."""
        return await self._change(workspace_id, channel, external_id, None, gather_seconds)

    async def _change(
        self, workspace_id: str, channel: ChannelName, external_id: str, text: str | None, gather_seconds: float
    ) -> EditedMessage | None:
        async with self._database.write() as connection:
            mine = _message(workspace_id, channel, external_id)
            message = (await connection.execute(select(message_table).where(mine))).mappings().one_or_none()
            if message is None:
                await self._wait_for_it(connection, workspace_id, channel, external_id, text)
                return None
            conversation = await messages.lock(connection, workspace_id, message["conversation_id"])
            if conversation is None or _is_so_already(message, text):
                return None
            await self._write(connection, conversation, message, text)
            turn_id = None
            if _is_unanswered(conversation, message):
                turn_id = await self._again(connection, conversation, gather_seconds)
            return EditedMessage(conversation["id"], workspace_id, turn_id)

    async def _wait_for_it(
        self, connection: AsyncConnection, workspace_id: str, channel: ChannelName, external_id: str, text: str | None
    ) -> None:
        await connection.execute(delete(early_edits).where(early_edits.c.created_at < clock.now() - EARLY_EDITS_KEPT))
        row = insert_into(connection, early_edits).values(
            id=new_id(),
            workspace_id=workspace_id,
            channel=channel,
            external_id=external_id,
            text=text,
            created_at=clock.now(),
        )
        key = ["workspace_id", "channel", "external_id"]
        await connection.execute(row.on_conflict_do_update(index_elements=key, set_={"text": text}))

    async def _write(
        self, connection: AsyncConnection, conversation: RowMapping, message: RowMapping, text: str | None
    ) -> None:
        # A deleted message stays as a line for members: its external id still keeps a repeat out.
        values = {"text": DELETED, "visibility": Visibility.INTERNAL, "attachments": None}
        if text is not None:
            values = {"text": text}
        await connection.execute(update(message_table).where(message_table.c.id == message["id"]).values(values))
        if message["author"] == Author.CUSTOMER and message["seq"] == conversation["customer_seq"]:
            line = messages.first_line(DELETED if text is None else text)
            await connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation["id"])
                .values(first_line=line, updated_at=clock.now())
            )
        await audit.record(
            connection,
            "message.deleted" if text is None else "message.edited",
            conversation["workspace_id"],
            conversation_id=conversation["id"],
            data={"message_id": message["id"], "seq": message["seq"]},
        )

    async def _again(self, connection: AsyncConnection, conversation: RowMapping, gather_seconds: float) -> str | None:
        """Overtake every turn that has read the old words, and start one over what is left."""
        if await self._decision_is_under_way(connection, conversation):
            return None
        queued = await turn_queue.end_queued(connection, conversation)
        await turn_queue.supersede_waiting(connection, conversation)
        mine = update(conversations).where(conversations.c.id == conversation["id"])
        if await self._something_is_left(connection, conversation):
            await connection.execute(mine.values(status=ConversationStatus.OPEN))
            # Who wrote too much at once does not wait for less by an edit.
            left = (queued.due_at - clock.now()).total_seconds() if queued else 0.0
            rank = queued.rank if queued else None
            return await turn_queue.queue_turn(connection, conversation, due_in=max(gather_seconds, left), rank=rank)
        await connection.execute(
            mine.values(
                status=ConversationStatus.OPEN,
                answered_seq=conversation["customer_seq"],
                waiting_notified=False,
                waiting_since=None,
            )
        )
        return None

    async def _decision_is_under_way(self, connection: AsyncConnection, conversation: RowMapping) -> bool:
        """A person has just answered the old words; their reply is not held back."""
        query = select(turns.c.id).where(
            turns.c.conversation_id == conversation["id"], turns.c.status == TurnStatus.DECIDED
        )
        return (await connection.execute(query)).first() is not None

    async def _something_is_left(self, connection: AsyncConnection, conversation: RowMapping) -> bool:
        query = select(message_table.c.id).where(
            message_table.c.conversation_id == conversation["id"],
            message_table.c.author == Author.CUSTOMER,
            message_table.c.visibility == Visibility.PUBLIC,
            message_table.c.seq > conversation["answered_seq"],
        )
        return (await connection.execute(query)).first() is not None


def _message(workspace_id: str, channel: ChannelName, external_id: str) -> ColumnElement[bool]:
    return and_(
        message_table.c.workspace_id == workspace_id,
        message_table.c.channel == channel,
        message_table.c.external_id == external_id,
    )


def _is_so_already(message: RowMapping, text: str | None) -> bool:
    deleted = message["visibility"] == Visibility.INTERNAL
    return deleted or str(message["text"]) == text


def _is_unanswered(conversation: RowMapping, message: RowMapping) -> bool:
    answering = conversation["status"] in (ConversationStatus.OPEN, ConversationStatus.PENDING)
    mine = message["author"] == Author.CUSTOMER
    return bool(answering and mine and message["seq"] > conversation["answered_seq"])
