"""Conversations, which are also the tickets: reading them, and what people do with them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping, Select, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.accounts.members import PRESENT
from storage.conversations import intake, messages
from storage.database.batches import change_in_batches
from storage.database.engine import Database
from storage.database.paging import Page, decode_cursor, page_of
from storage.database.tables import (
    conversations,
    customers,
    members,
    turns,
)
from storage.database.tables import messages as message_table
from storage.errors import (
    ConversationClosedError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
)
from storage.records import (
    Author,
    Conversation,
    ConversationStatus,
    Customer,
    Member,
    Message,
    Priority,
    TurnStatus,
    Visibility,
)

MAX_REPLY_LENGTH = 20_000


@dataclass(frozen=True, slots=True)
class Older:
    """Messages that should go into the summary, and the summary so far."""

    summary: str
    summary_seq: int
    """The last message that the summary covers."""
    messages: tuple[Message, ...]


class Conversations:
    """Reads conversations and keeps what people do: every act is one transaction with its audit event."""

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

    async def older(self, conversation_id: str, keep: int) -> Older | None:
        """What was said before the last `keep` messages and is not in the summary yet; None if nothing was."""
        row_query = select(conversations.c.summary, conversations.c.summary_seq).where(
            conversations.c.id == conversation_id
        )
        async with self._database.read() as connection:
            row = (await connection.execute(row_query)).one_or_none()
            if row is None:
                return None
            query = (
                select(message_table)
                .where(
                    message_table.c.conversation_id == conversation_id,
                    message_table.c.seq > row.summary_seq,
                    message_table.c.visibility == Visibility.PUBLIC,
                    message_table.c.author != Author.SYSTEM,
                )
                .order_by(message_table.c.seq)
            )
            texts = [messages.plain_message_of(item) for item in (await connection.execute(query)).mappings()]
        older = tuple(texts[:-keep])
        return Older(row.summary, row.summary_seq, older) if older else None

    async def keep_summary(self, conversation_id: str, older: Older, summary: str) -> None:
        """Replace the summary, unless somebody else has meanwhile."""
        mine = (conversations.c.id == conversation_id) & (conversations.c.summary_seq == older.summary_seq)
        async with self._database.write() as connection:
            await connection.execute(
                update(conversations).where(mine).values(summary=summary, summary_seq=older.messages[-1].seq)
            )

    async def take_over(self, member: Member, conversation_id: str) -> None:
        """The member has the conversation: the bot falls silent, a waiting draft is overtaken."""
        async with self._database.write() as connection:
            row = await self._lock(connection, member, conversation_id)
            await intake.supersede_waiting(connection, row)
            await self._set(connection, row, status=ConversationStatus.ASSIGNED, assignee_id=member.id)
            await self._note_event(connection, row, member, "taken-over", f"{member.name} took over.")

    async def hand_to_person(self, workspace_id: str, conversation_id: str, *, because: str, notice: str) -> None:
        """A person gets the conversation, whoever is free: the customer asked for one, or the machine failed."""
        async with self._database.write() as connection:
            row = await messages.lock(connection, workspace_id, conversation_id)
            if row is None:
                raise NotFoundError("There is no such conversation in this workspace.")
            if row["status"] == ConversationStatus.CLOSED:
                raise ConversationClosedError
            if row["status"] == ConversationStatus.ASSIGNED:
                return
            await intake.supersede_waiting(connection, row)
            await self._set(
                connection,
                row,
                status=ConversationStatus.ASSIGNED,
                told_waiting=True,
                waiting_since=row["waiting_since"] or clock.now(),
            )
            await messages.say(connection, row, because)
            if not row["told_waiting"]:
                await messages.say(connection, row, notice, visibility=Visibility.PUBLIC)
            await self._event(connection, row, None, "handed-to-person", {"because": because})

    async def assign(self, member: Member, conversation_id: str, assignee_id: str) -> None:
        """Give the conversation to a member of the same workspace."""
        async with self._database.write() as connection:
            row = await self._lock(connection, member, conversation_id)
            name = (
                await connection.execute(
                    select(members.c.name).where(
                        members.c.id == assignee_id, members.c.workspace_id == member.workspace_id, PRESENT
                    )
                )
            ).scalar_one_or_none()
            if name is None:
                raise NotFoundError("There is no such member in this workspace.")
            await intake.supersede_waiting(connection, row)
            await self._set(connection, row, status=ConversationStatus.ASSIGNED, assignee_id=assignee_id)
            await self._note_event(connection, row, member, "assigned", f"{member.name} assigned this to {name}.")

    async def reply(self, member: Member, conversation_id: str, text: str) -> str:
        """Send a reply by hand; only who has the conversation (or nobody) may. Gives the message's id."""
        text = _checked(text)
        async with self._database.write() as connection:
            row = await self._lock(connection, member, conversation_id)
            if row["status"] != ConversationStatus.ASSIGNED:
                raise NotAllowedError("Take the conversation over before you reply by hand.")
            if row["assignee_id"] not in (None, member.id):
                raise NotAllowedError("Somebody else has this conversation; take it over first.")
            seq = row["last_seq"] + 1
            message_id = await messages.append(connection, row, seq, Author.AGENT, text, member_id=member.id)
            await messages.dispatch(connection, row, message_id, seq)
            await self._replied(connection, row, member, last_seq=seq)
            await self._event(connection, row, member, "replied-by-hand", {"message_id": message_id})
            return message_id

    async def overhear(self, member: Member, conversation_id: str, text: str, external_id: str) -> None:
        """Keep what a member wrote in the customer's thread itself: they have the conversation from now on.

        Nothing is delivered, the words are there already. The same external id again changes nothing.
        """
        async with self._database.write() as connection:
            row = await self._lock(connection, member, conversation_id)
            if await messages.is_known(connection, row, external_id):
                return
            if row["assignee_id"] != member.id or row["status"] != ConversationStatus.ASSIGNED:
                await intake.supersede_waiting(connection, row)
                await self._note_event(connection, row, member, "taken-over", f"{member.name} took over.")
            seq = await messages.next_seq(connection, row["id"])
            message_id = await messages.append(
                connection, row, seq, Author.AGENT, text, external_id=external_id, member_id=member.id
            )
            await self._replied(connection, row, member, status=ConversationStatus.ASSIGNED)
            await self._event(connection, row, member, "replied-by-hand", {"message_id": message_id})

    async def note(self, member: Member, conversation_id: str, text: str) -> None:
        """Add a note that only members see."""
        text = _checked(text)
        async with self._database.write() as connection:
            row = await self._lock(connection, member, conversation_id)
            seq = await messages.next_seq(connection, row["id"])
            await messages.append(
                connection, row, seq, Author.AGENT, text, visibility=Visibility.INTERNAL, member_id=member.id
            )
            await self._event(connection, row, member, "noted", {})

    async def hand_back(self, member: Member, conversation_id: str) -> str | None:
        """The bot answers again; gives the turn over what the customer wrote and nobody answered, if anything."""
        async with self._database.write() as connection:
            row = await self._lock(connection, member, conversation_id)
            if row["status"] != ConversationStatus.ASSIGNED:
                raise InvalidError("Only a conversation that a person has can be handed back.")
            await self._set(connection, row, status=ConversationStatus.OPEN, assignee_id=None, bot_turns=0)
            await self._note_event(connection, row, member, "handed-back", f"{member.name} handed back to the bot.")
            if row["customer_seq"] <= row["answered_seq"]:
                return None
            await intake.end_queued(connection, row)
            return await intake.queue_turn(connection, row)

    async def resolve(self, member: Member | None, conversation_id: str, workspace_id: str) -> None:
        """The matter is settled; a new customer message opens it again."""
        await self._finish(member, conversation_id, workspace_id, ConversationStatus.RESOLVED)

    async def close(self, member: Member | None, conversation_id: str, workspace_id: str) -> None:
        """The conversation ends; the customer's next message starts a new one."""
        await self._finish(member, conversation_id, workspace_id, ConversationStatus.CLOSED)

    async def set_priority(self, member: Member, conversation_id: str, priority: Priority) -> None:
        """Change the ticket's priority."""
        async with self._database.write() as connection:
            row = await self._lock(connection, member, conversation_id)
            await self._set(connection, row, priority=priority)
            await self._event(connection, row, member, "priority-changed", {"priority": priority})

    async def close_silent(self, after: timedelta) -> int:
        """Close conversations that were resolved longer ago than this; gives how many."""
        silent = and_(
            conversations.c.status == ConversationStatus.RESOLVED, conversations.c.resolved_at < clock.now() - after
        )
        close = update(conversations).where(silent).values(status=ConversationStatus.CLOSED)
        return await change_in_batches(
            self._database, select(conversations.c.id).where(silent), close, conversations.c.id
        )

    async def _finish(
        self, member: Member | None, conversation_id: str, workspace_id: str, status: ConversationStatus
    ) -> None:
        async with self._database.write() as connection:
            row = await messages.lock(connection, workspace_id, conversation_id)
            if row is None:
                raise NotFoundError("There is no such conversation in this workspace.")
            if row["status"] in (ConversationStatus.CLOSED, status):
                return
            await intake.supersede_waiting(connection, row)
            await intake.end_queued(connection, row)
            await self._set(
                connection,
                row,
                status=status,
                assignee_id=None,
                answered_seq=row["customer_seq"],
                told_waiting=False,
                waiting_since=None,
                resolved_at=clock.now(),
            )
            by = member.name if member else "The customer"
            await self._note_event(connection, row, member, str(status), f"{by} marked this {status}.")

    async def _lock(self, connection: AsyncConnection, member: Member, conversation_id: str) -> RowMapping:
        row = await messages.lock(connection, member.workspace_id, conversation_id)
        if row is None:
            raise NotFoundError("There is no such conversation in this workspace.")
        if row["status"] == ConversationStatus.CLOSED:
            raise ConversationClosedError
        return row

    async def _set(self, connection: AsyncConnection, row: RowMapping, **values: Any) -> None:
        change = update(conversations).where(conversations.c.id == row["id"])
        await connection.execute(change.values(updated_at=clock.now(), **values))

    async def _replied(self, connection: AsyncConnection, row: RowMapping, member: Member, **values: Any) -> None:
        await self._set(
            connection,
            row,
            assignee_id=member.id,
            answered_seq=row["customer_seq"],
            bot_turns=0,
            told_waiting=False,
            waiting_since=None,
            first_reply_at=row["first_reply_at"] or clock.now(),
            **values,
        )

    async def _note_event(
        self, connection: AsyncConnection, row: RowMapping, member: Member | None, kind: str, line: str
    ) -> None:
        await messages.say(connection, row, line, member_id=member.id if member else None)
        await self._event(connection, row, member, kind, {})

    async def _event(
        self, connection: AsyncConnection, row: RowMapping, member: Member | None, kind: str, data: dict[str, Any]
    ) -> None:
        await audit.record(
            connection,
            f"conversation.{kind}",
            row["workspace_id"],
            conversation_id=row["id"],
            member_id=member.id if member else None,
            data=data,
        )


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidError("The text is empty: write something first.")
    if len(text) > MAX_REPLY_LENGTH:
        raise InvalidError(f"The text has {len(text)} characters; {MAX_REPLY_LENGTH} is the most.")
    return text


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
    since, reminded = row["waiting_since"], row["reminded_at"]
    return since is not None and reminded is not None and reminded >= since
