"""Which conversation a thread of a chat platform belongs to."""

from collections.abc import Sequence

from storage.conversations.reading import conversation_of, reading_conversations
from storage.database.engine import Database
from storage.database.tables import conversations, customers, messages
from storage.records import ChannelName, Conversation, ConversationStatus


class Threads:
    """Finds conversations by what the platforms know of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, workspace_id: str, channel: ChannelName, thread: str) -> Conversation | None:
        """The thread's newest conversation, closed or not: the desk serves this thread."""
        query = (
            reading_conversations()
            .where(
                conversations.c.workspace_id == workspace_id,
                conversations.c.channel == channel,
                conversations.c.thread == thread,
            )
            .order_by(conversations.c.created_at.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return conversation_of(row) if row else None

    async def newest(self, workspace_ids: Sequence[str], channel: ChannelName, thread: str) -> Conversation | None:
        """The thread's conversation that changed last, of these workspaces; closed ones are over."""
        query = (
            reading_conversations()
            .where(
                conversations.c.workspace_id.in_(workspace_ids),
                conversations.c.channel == channel,
                conversations.c.thread == thread,
                conversations.c.status != ConversationStatus.CLOSED,
            )
            .order_by(conversations.c.updated_at.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return conversation_of(row) if row else None

    async def of_message(self, workspace_id: str, channel: ChannelName, external_id: str) -> Conversation | None:
        """The conversation that holds the platform's message with this id."""
        query = (
            reading_conversations()
            .join(messages, messages.c.conversation_id == conversations.c.id)
            .where(
                messages.c.workspace_id == workspace_id,
                messages.c.channel == channel,
                messages.c.external_id == external_id,
            )
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return conversation_of(row) if row else None

    async def of_customer(
        self, workspace_id: str, channel: ChannelName, customer_external_id: str, place: str | None = None
    ) -> list[Conversation]:
        """The customer's conversations that are not closed, the newest first; in one place or anywhere."""
        query = (
            reading_conversations()
            .where(
                conversations.c.workspace_id == workspace_id,
                conversations.c.channel == channel,
                customers.c.external_id == customer_external_id,
                conversations.c.status != ConversationStatus.CLOSED,
            )
            .order_by(conversations.c.created_at.desc())
            .limit(20)
        )
        if place is not None:
            query = query.where(conversations.c.place == place)
        async with self._database.read() as connection:
            return [conversation_of(row) for row in (await connection.execute(query)).mappings()]

    async def of_place(
        self, workspace_id: str, channel: ChannelName, place: str, statuses: Sequence[ConversationStatus]
    ) -> list[Conversation]:
        """The conversations of a place in one of these states, the newest first."""
        query = (
            reading_conversations()
            .where(
                conversations.c.workspace_id == workspace_id,
                conversations.c.channel == channel,
                conversations.c.place == place,
                conversations.c.status.in_(statuses),
            )
            .order_by(conversations.c.created_at.desc())
            .limit(20)
        )
        async with self._database.read() as connection:
            return [conversation_of(row) for row in (await connection.execute(query)).mappings()]
