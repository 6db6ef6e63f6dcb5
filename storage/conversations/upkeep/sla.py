"""Conversations that wait too long for a person: their members are reminded, once per wait."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update

from storage import audit, clock
from storage.conversations import messages
from storage.database.engine import Database
from storage.database.tables import conversations
from storage.records import ConversationStatus

REMINDER_BATCH = 200
"""Conversations at a time; the others follow at the next look."""


@dataclass(frozen=True, slots=True)
class Reminded:
    """A conversation whose members have just been reminded."""

    workspace_id: str
    conversation_id: str


class SlaReminders:
    """Finds what waits for a person for longer than it should."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remind(self, after: timedelta) -> list[Reminded]:
        """Leave a line for the members, and an audit event, in each conversation that has waited for so long."""
        query = (
            select(conversations.c.workspace_id, conversations.c.id)
            .where(_waits_since_before(clock.now() - after))
            .order_by(conversations.c.waiting_since)
            .limit(REMINDER_BATCH)
        )
        async with self._database.read() as connection:
            found = [Reminded(row[0], row[1]) for row in await connection.execute(query)]
        return [item for item in found if await self._remind(item, after)]

    async def _remind(self, item: Reminded, after: timedelta) -> bool:
        """Whether it was still due: somebody may have answered meanwhile, or another process has reminded."""
        async with self._database.write() as connection:
            row = await messages.lock(connection, item.workspace_id, item.conversation_id)
            marked = await connection.execute(
                update(conversations)
                .where(conversations.c.id == item.conversation_id, _waits_since_before(clock.now() - after))
                .values(sla_reminded_at=clock.now())
            )
            if row is None or not marked.rowcount:
                return False
            waited = clock.now() - row["waiting_since"]
            await messages.say(
                connection, row, f"The customer has been waiting for a person for {duration_in_words(waited)}."
            )
            await audit.record(
                connection,
                "conversation.overdue",
                item.workspace_id,
                conversation_id=item.conversation_id,
                data={"minutes": int(waited.total_seconds() // 60)},
            )
            return True


def duration_in_words(duration: timedelta) -> str:
    """A duration in whole minutes, hours or days, as people say it."""
    minutes = int(duration.total_seconds() // 60)
    for size, name in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"


def _waits_since_before(before: datetime) -> ColumnElement[bool]:
    return and_(
        conversations.c.status.in_((ConversationStatus.PENDING, ConversationStatus.ASSIGNED)),
        conversations.c.waiting_since <= before,
        or_(conversations.c.sla_reminded_at.is_(None), conversations.c.sla_reminded_at < conversations.c.waiting_since),
    )
