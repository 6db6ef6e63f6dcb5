"""What people do with a conversation: every action is one transaction with its audit event."""

from typing import Any

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.accounts.accounts import PRESENT
from storage.conversations import messages, turn_queue
from storage.database.engine import Database
from storage.database.tables import conversations, members, reviews
from storage.errors import ConversationClosedError, InvalidError, NotAllowedError, NotFoundError
from storage.records import Author, ConversationStatus, Member, Priority, ReviewStatus, Visibility

MAX_REPLY_LENGTH = 20_000


class ConversationActions:
    """Takes over, assigns, replies, notes, hands back, resolves and closes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_over(self, member: Member, conversation_id: str) -> None:
        """The member has the conversation: the bot falls silent, a waiting draft is overtaken."""
        async with self._database.write() as connection:
            row = await self._lock(connection, member, conversation_id)
            await turn_queue.supersede_waiting(connection, row)
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
            await turn_queue.supersede_waiting(connection, row)
            await self._set(
                connection,
                row,
                status=ConversationStatus.ASSIGNED,
                waiting_notified=True,
                waiting_since=row["waiting_since"] or clock.now(),
            )
            await messages.say(connection, row, because)
            if not row["waiting_notified"]:
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
            await turn_queue.supersede_waiting(connection, row)
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

    async def record_thread_reply(self, member: Member, conversation_id: str, text: str, external_id: str) -> None:
        """Keep what a member wrote in the customer's thread itself: they have the conversation from now on.

        Nothing is delivered, the words are there already. The same external id again changes nothing.
        """
        async with self._database.write() as connection:
            row = await self._lock(connection, member, conversation_id)
            if await messages.is_known(connection, row, external_id):
                return
            if row["assignee_id"] != member.id or row["status"] != ConversationStatus.ASSIGNED:
                await turn_queue.supersede_waiting(connection, row)
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
            await turn_queue.end_queued(connection, row)
            return await turn_queue.queue_turn(connection, row)

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

    async def _finish(
        self, member: Member | None, conversation_id: str, workspace_id: str, status: ConversationStatus
    ) -> None:
        async with self._database.write() as connection:
            row = await messages.lock(connection, workspace_id, conversation_id)
            if row is None:
                raise NotFoundError("There is no such conversation in this workspace.")
            if row["status"] in (ConversationStatus.CLOSED, status):
                return
            await turn_queue.supersede_waiting(connection, row)
            await turn_queue.end_queued(connection, row)
            await self._set(
                connection,
                row,
                status=status,
                assignee_id=None,
                answered_seq=row["customer_seq"],
                waiting_notified=False,
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
            waiting_notified=False,
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


async def release_work_of(connection: AsyncConnection, by: Member, member: Member) -> tuple[str, ...]:
    """Free what a member who leaves has claimed and has taken over; gives the conversations that wait for anybody now.

    Part of the transaction that removes the member, with a line in each conversation that says why.
    """
    await _release_claims(connection, member)
    theirs = (
        (conversations.c.workspace_id == member.workspace_id)
        & (conversations.c.status == ConversationStatus.ASSIGNED)
        & (conversations.c.assignee_id == member.id)
    )
    query = select(conversations).where(theirs).order_by(conversations.c.id).with_for_update()
    rows = (await connection.execute(query)).mappings().all()
    for row in rows:
        await _release(connection, row, by, member)
    return tuple(row["id"] for row in rows)


async def _release_claims(connection: AsyncConnection, member: Member) -> None:
    claimed = (reviews.c.workspace_id == member.workspace_id) & (reviews.c.status == ReviewStatus.PENDING)
    mine = claimed & (reviews.c.claimed_by == member.id)
    await connection.execute(update(reviews).where(mine).values(claimed_by=None))


async def _release(connection: AsyncConnection, row: RowMapping, by: Member, member: Member) -> None:
    mine = conversations.c.id == row["id"]
    await connection.execute(update(conversations).where(mine).values(assignee_id=None, updated_at=clock.now()))
    line = f"{by.name} removed {member.name} from the team: nobody has this conversation now."
    await messages.say(connection, row, line, member_id=by.id)
    await audit.record(
        connection,
        "conversation.unassigned",
        member.workspace_id,
        conversation_id=row["id"],
        member_id=by.id,
        data={"member_id": member.id},
    )


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidError("The text is empty: write something first.")
    if len(text) > MAX_REPLY_LENGTH:
        raise InvalidError(f"The text has {len(text)} characters; {MAX_REPLY_LENGTH} is the most.")
    return text
