"""Transactional outbox: replies on their way to a channel, in order per conversation, each sent by one worker.

A reply and its delivery are committed together with the end of the turn. A worker that delivers looks at the oldest
pending one, and where the channel is not idempotent takes it first: a try is noted in the row before it is made, under
a lease that the worker renews. Every change is a compare-and-swap on the tries that the worker has seen.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.conversations import messages
from storage.conversations import outbox_statements as statements
from storage.conversations.messages import message_of
from storage.database.engine import Database
from storage.database.tables import deliveries
from storage.records import (
    Author,
    ChannelName,
    ConversationStatus,
    DeliveryStatus,
    Message,
)

MAX_ERROR_LENGTH = 500
LEASE_SECONDS = 30.0
"""How long a try belongs to its worker after the worker was last heard of."""


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
    is_begun: bool = False
    """This worker has taken it for a try: its row counts one more than `attempts`."""

    def begun(self) -> "Outgoing":
        """The same delivery once `Outbox.begin` has taken it."""
        return replace(self, is_begun=True)


class Outbox:
    """Finds the next delivery of a conversation and notes how it went."""

    def __init__(self, database: Database, lease_seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._lease = timedelta(seconds=lease_seconds)

    async def next(self, conversation_id: str) -> Outgoing | None:
        """The oldest pending delivery; the bot's own are cancelled while a person has the conversation."""
        while rows := await self._oldest(conversation_id):
            row = rows[0]
            if not is_silenced(row["author"], row["member_id"], row["conversation_status"]):
                return _outgoing(row, more=len(rows) > 1)
            await self._cancel(row)
        return None

    async def begin(self, outgoing: Outgoing) -> bool:
        """Take a delivery for one try, noted before it is made, so that a crash in the middle is seen at the next one.

        False: another worker has it or has ended it, or a person has taken the conversation over.
        """
        async with self._database.write() as connection:
            conversation = await messages.lock(connection, outgoing.workspace_id, outgoing.conversation_id)
            message = outgoing.message
            if conversation is None or is_silenced(message.author, message.member_id, conversation["status"]):
                return False
            taken = await connection.execute(
                statements.TAKE,
                {
                    "delivery": outgoing.delivery_id,
                    "seen_attempts": outgoing.attempts,
                    "seen_next_attempt_at": outgoing.not_before,
                    "attempts": outgoing.attempts + 1,
                    "next_attempt_at": clock.now() + self._lease,
                },
            )
            return bool(taken.rowcount == 1)

    @contextlib.asynccontextmanager
    async def holding(self, outgoing: Outgoing) -> AsyncIterator[Outgoing]:
        """The begun try, kept from other workers for as long as it takes; a worker that dies lets go by itself."""
        begun = outgoing.begun()
        renewing = asyncio.create_task(self._renew(begun))
        try:
            yield begun
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
            await connection.execute(begun.values(next_attempt_at=clock.now()))

    async def sent(self, outgoing: Outgoing, external_id: str | None) -> None:
        """The channel has it."""
        async with self._database.write() as connection:
            await connection.execute(
                statements.PENDING,
                {
                    "delivery": outgoing.delivery_id,
                    "status": DeliveryStatus.SENT,
                    "external_id": external_id,
                    "error": None,
                    "finished_at": clock.now(),
                },
            )

    async def postpone(self, outgoing: Outgoing, until: datetime, reason: str) -> None:
        """Try again later, through no fault of the reply: its channel is off, or the platform asks to wait."""
        await self._reschedule(outgoing, until, reason, failures=outgoing.failures)

    async def retry(self, outgoing: Outgoing, at: datetime, reason: str) -> None:
        """This try has failed: count it, and try again later."""
        await self._reschedule(outgoing, at, reason, failures=outgoing.failures + 1)

    async def fail(self, outgoing: Outgoing, error: str) -> None:
        """Give up; the audit trail and the workbench say so."""
        row = {
            "id": outgoing.delivery_id,
            "workspace_id": outgoing.workspace_id,
            "conversation_id": outgoing.conversation_id,
        }
        async with self._database.write() as connection:
            await _end(connection, row, DeliveryStatus.FAILED, error)

    async def _oldest(self, conversation_id: str) -> Sequence[RowMapping]:
        """The oldest pending delivery and the one behind it."""
        async with self._database.read() as connection:
            found = await connection.execute(statements.OLDEST, {"conversation": conversation_id})
            return found.mappings().all()

    async def _reschedule(self, outgoing: Outgoing, at: datetime, reason: str, *, failures: int) -> None:
        """Unless another worker has begun a try meanwhile."""
        async with self._database.write() as connection:
            await connection.execute(
                statements.AS_SEEN,
                {
                    "delivery": outgoing.delivery_id,
                    "seen_attempts": outgoing.attempts + outgoing.is_begun,
                    "next_attempt_at": at,
                    "error": reason[:MAX_ERROR_LENGTH],
                    "failures": failures,
                },
            )

    async def _renew(self, begun: Outgoing) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            await self.postpone(begun, clock.now() + self._lease, "")

    async def _cancel(self, row: RowMapping) -> None:
        """A person has the conversation: the bot's reply is not sent, and its question is unanswered again."""
        ids = {"id": row["delivery_id"], "workspace_id": row["workspace_id"], "conversation_id": row["conversation_id"]}
        async with self._database.write() as connection:
            conversation = await messages.lock(connection, row["workspace_id"], row["conversation_id"])
            if conversation is None or not is_silenced(row["author"], row["member_id"], conversation["status"]):
                return
            if not await _end(connection, ids, DeliveryStatus.CANCELLED, "a person has the conversation"):
                return
            if not row["attempts"] and not _is_read_from_rows(row):
                await _unanswer(connection, conversation, row)


async def _unanswer(connection: AsyncConnection, conversation: RowMapping, reply: RowMapping) -> None:
    """Nobody has seen this reply: what it answered is answered if a person has written since, and else is open."""
    since = {"conversation": conversation["id"], "seq": reply["seq"]}
    if (await connection.execute(statements.ANSWERED_BY_AGENT, since)).first() is not None:
        return
    asked = {"conversation": conversation["id"], "turn": reply["turn_id"]}
    seq = (await connection.execute(statements.FIRST_QUESTION, asked)).scalar_one()
    if seq is not None and seq <= conversation["answered_seq"]:
        await connection.execute(
            messages.CHANGE_CONVERSATION,
            {
                "this_conversation": conversation["id"],
                "answered_seq": seq - 1,
                "waiting_since": conversation["waiting_since"] or clock.now(),
            },
        )


async def _end(connection: AsyncConnection, row: dict[str, str], status: DeliveryStatus, error: str) -> bool:
    """Whether it was pending until now."""
    ended = await connection.execute(
        statements.PENDING,
        {
            "delivery": row["id"],
            "status": status,
            "error": error[:MAX_ERROR_LENGTH],
            "finished_at": clock.now(),
        },
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


def is_silenced(author: str, member_id: str | None, conversation_status: str) -> bool:
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
        not_before=row["next_attempt_at"],
        more=more,
        failures=row["failures"],
        turn_id=row["turn_id"],
    )
