"""Idempotent intake: a customer's message, its conversation and its turn in one transaction, whatever comes twice."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import RowMapping, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.conversations import messages, turn_queue
from storage.conversations.admission import overload_notices
from storage.conversations.admission.backpressure import BacklogMonitor
from storage.conversations.admission.control import Admission, AdmissionControl
from storage.conversations.messages import first_line
from storage.database.engine import Database
from storage.database.tables import (
    conversations,
    customers,
    early_edits,
)
from storage.database.tables import messages as message_table
from storage.database.upsert import insert_into
from storage.errors import TooManyMessagesError
from storage.records import (
    Author,
    ConversationStatus,
    Incoming,
    Priority,
    new_id,
)

SUBJECT_LENGTH = 80

# Built once: making such a statement takes longer than running it.
SAME_MESSAGE = select(message_table).where(
    message_table.c.workspace_id == bindparam("workspace_id"),
    message_table.c.channel == bindparam("channel"),
    message_table.c.external_id == bindparam("external_id"),
)
OPEN_IN_THREAD = (
    select(conversations)
    .where(
        conversations.c.workspace_id == bindparam("workspace_id"),
        conversations.c.channel == bindparam("channel"),
        conversations.c.thread == bindparam("thread"),
        conversations.c.status != ConversationStatus.CLOSED,
    )
    .with_for_update()
)


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
    notified: bool = False
    """The conversation has a notice to deliver: this takes longer, or the message was not kept."""
    wait: float = 0.0
    """Seconds until the turn may run, beyond the pause for gathering: too much was written at once."""
    rank: int = 0
    """Of the turn: lower ones are served first."""


class MessageIntake:
    """Keeps incoming messages; the adapter acknowledges after `accept` returned."""

    def __init__(self, database: Database, admission: AdmissionControl, backlog: BacklogMonitor) -> None:
        self._database = database
        self._admission = admission
        self._backlog = backlog

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
            conversation = await self._conversation(connection, corrected)
            return await self._keep(connection, conversation, corrected, gather_seconds)

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
        row = (await connection.execute(SAME_MESSAGE, keys)).mappings().one_or_none()
        if row is None:
            return None
        return Accepted(row["id"], row["conversation_id"], row["workspace_id"], row["seq"], None, repeated=True)

    async def _corrected(self, connection: AsyncConnection, incoming: Incoming) -> Incoming | None:
        """The message as it was edited before it arrived; None if it was deleted."""
        if incoming.channel == "web":
            return incoming
        query = select(early_edits.c.text).where(
            early_edits.c.workspace_id == incoming.workspace_id,
            early_edits.c.channel == incoming.channel,
            early_edits.c.external_id == incoming.external_id,
        )
        change = (await connection.execute(query)).one_or_none()
        if change is None:
            return incoming
        return None if change.text is None else replace(incoming, text=change.text)

    async def _conversation(self, connection: AsyncConnection, incoming: Incoming) -> RowMapping:
        keys = {"workspace_id": incoming.workspace_id, "channel": incoming.channel, "thread": incoming.thread}
        if row := (await connection.execute(OPEN_IN_THREAD, keys)).mappings().one_or_none():
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
        return (await connection.execute(OPEN_IN_THREAD, keys)).mappings().one()

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

    async def _keep(
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
            messages.CHANGE_CONVERSATION,
            {
                "this_conversation": conversation["id"],
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
            admission, turn_id = await self._admit(connection, conversation, new_turn=False), None
        else:
            admission, turn_id = await self._turn(connection, conversation, gather_seconds)
        await audit.record(
            connection,
            "message.accepted",
            incoming.workspace_id,
            conversation_id=conversation["id"],
            turn_id=turn_id,
            data={"message_id": message_id, "seq": seq}
            | ({"waits": round(admission.wait, 1)} if admission.wait else {}),
        )
        notified = turn_id is not None and await self._notify(connection, conversation, admission)
        return Accepted(
            message_id,
            conversation["id"],
            incoming.workspace_id,
            seq,
            turn_id,
            notified=notified,
            wait=admission.wait,
            rank=admission.rank,
        )

    async def _turn(
        self, connection: AsyncConnection, conversation: RowMapping, gather_seconds: float
    ) -> tuple[Admission, str]:
        """The queued turn that answers everything unanswered, started or postponed; a waiting one is superseded."""
        due = clock.now() + timedelta(seconds=gather_seconds)
        if queued := await turn_queue.postpone_queued(connection, conversation, due):
            admission = await self._admit(connection, conversation, new_turn=False)
            if admission.wait:
                later = max(due, clock.now() + timedelta(seconds=admission.wait))
                await turn_queue.postpone_queued(connection, conversation, later)
            return replace(admission, rank=queued.rank), queued.id
        if conversation["status"] == ConversationStatus.PENDING:
            await turn_queue.supersede_waiting(connection, conversation)
        admission = await self._admit(connection, conversation, new_turn=True)
        due_in = max(gather_seconds, admission.wait)
        return admission, await turn_queue.queue_turn(connection, conversation, due_in=due_in, rank=admission.rank)

    async def _admit(self, connection: AsyncConnection, conversation: RowMapping, *, new_turn: bool) -> Admission:
        workspace_id, customer_id = conversation["workspace_id"], conversation["customer_id"]
        return await self._admission.admit(connection, workspace_id, customer_id, new_turn=new_turn)

    async def _notify(self, connection: AsyncConnection, conversation: RowMapping, admission: Admission) -> bool:
        """Whether the customer has just been told that the answer takes longer."""
        if admission.wait:
            return admission.must_tell and await overload_notices.tell_paced(connection, conversation)
        return await self._backlog.is_busy(connection) and await overload_notices.tell_busy(connection, conversation)

    async def _refuse(self, incoming: Incoming, retry_after: int) -> Accepted:
        """Keep nothing of a message but, once per burst, the notice in its thread."""
        async with self._database.write() as connection:
            customer_id = await self._customer(connection, incoming)
            must_tell = await self._admission.refuse(connection, incoming.workspace_id, customer_id, retry_after)
            conversation_id = ""
            if must_tell:
                conversation = await self._conversation(connection, incoming)
                conversation_id = str(conversation["id"])
                await overload_notices.tell_refused(connection, conversation, retry_after)
                await audit.record(
                    connection, "message.refused", incoming.workspace_id, conversation_id=conversation_id
                )
        return Accepted("", conversation_id, incoming.workspace_id, 0, None, repeated=True, notified=must_tell)
