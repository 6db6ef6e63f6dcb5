"""Reading conversations, which are also the tickets: one, a page of them, and whether a reply is on its way."""

from typing import Any

from sqlalchemy import RowMapping, Select, and_, or_, select

from storage.accounts.accounts import PRESENT
from storage.database.engine import Database
from storage.database.paging import Page, decode_cursor, page_of
from storage.database.tables import conversations, customers, members, turns
from storage.errors import NotFoundError
from storage.records import Conversation, ConversationStatus, Customer, Priority, TurnStatus


class Conversations:
    """Reads conversations of a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, workspace_id: str, conversation_id: str) -> Conversation:
        """One conversation; NotFoundError outside its workspace."""
        query = reading_conversations().where(
            conversations.c.id == conversation_id, conversations.c.workspace_id == workspace_id
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise NotFoundError("There is no such conversation in this workspace.")
        return conversation_of(row)

    async def workspace_of(self, conversation_id: str) -> str:
        """The workspace a conversation belongs to, for a caller whose token names the conversation alone."""
        query = select(conversations.c.workspace_id).where(conversations.c.id == conversation_id)
        async with self._database.read() as connection:
            workspace_id = (await connection.execute(query)).scalar_one_or_none()
        if workspace_id is None:
            raise NotFoundError("There is no such conversation.")
        return str(workspace_id)

    async def page(
        self,
        workspace_id: str,
        *,
        status: ConversationStatus | None = None,
        customer_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Conversation]:
        """Conversations, the latest activity first."""
        query = reading_conversations().where(conversations.c.workspace_id == workspace_id)
        if status is not None:
            query = query.where(conversations.c.status == status)
        if customer_id is not None:
            query = query.where(conversations.c.customer_id == customer_id)
        at_column = conversations.c.updated_at
        if cursor:
            at, last_id = decode_cursor(cursor)
            query = query.where(or_(at_column < at, and_(at_column == at, conversations.c.id < last_id)))
        query = query.order_by(at_column.desc(), conversations.c.id.desc()).limit(limit + 1)
        async with self._database.read() as connection:
            found = [conversation_of(row) for row in (await connection.execute(query)).mappings()]
        return page_of(found, limit, lambda item: (item.updated_at, item.id))

    async def is_working(self, conversation_id: str) -> bool:
        """Whether a turn is on its way, so that the customer sees the desk at work."""
        busy = (TurnStatus.QUEUED, TurnStatus.DECIDED)
        query = select(turns.c.id).where(turns.c.conversation_id == conversation_id, turns.c.status.in_(busy)).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None


def reading_conversations() -> Select[Any]:
    """A query over conversations with what `conversation_of` needs."""
    columns: list[Any] = [
        conversations,
        members.c.id.label("present_assignee"),
        members.c.name.label("assignee_name"),
        customers.c.external_id.label("customer_external_id"),
        customers.c.name.label("customer_name"),
        customers.c.email.label("customer_email"),
    ]
    return (
        select(*columns)
        .join(customers, customers.c.id == conversations.c.customer_id)
        # Whoever was removed has nothing any more, whatever was under way at that moment.
        .outerjoin(members, and_(members.c.id == conversations.c.assignee_id, PRESENT))
    )


def conversation_of(row: RowMapping) -> Conversation:
    """The record of a joined row."""
    return Conversation(
        id=row["id"],
        workspace_id=row["workspace_id"],
        channel=row["channel"],
        thread=row["thread"],
        customer=Customer(
            id=row["customer_id"],
            workspace_id=row["workspace_id"],
            channel=row["channel"],
            external_id=row["customer_external_id"],
            name=row["customer_name"],
            email=row["customer_email"],
        ),
        status=ConversationStatus(row["status"]),
        subject=row["subject"],
        intent=row["intent"],
        priority=Priority(row["priority"]),
        assignee_id=row["present_assignee"],
        assignee_name=row["assignee_name"],
        summary=row["summary"],
        bot_turns=row["bot_turns"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        first_line=row["first_line"],
        place=row["place"],
        waiting_since=row["waiting_since"],
        is_overdue=_is_overdue(row),
    )


def _is_overdue(row: RowMapping) -> bool:
    since, reminded = row["waiting_since"], row["sla_reminded_at"]
    return since is not None and reminded is not None and reminded >= since
