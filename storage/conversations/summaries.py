"""Rolling summaries: the older messages of a long conversation, folded into one text a batch at a time."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from storage import clock
from storage.conversations import messages
from storage.database.engine import Database
from storage.database.tables import conversations, workspaces
from storage.database.tables import messages as message_table
from storage.records import Author, ConversationStatus, Message, Visibility

LAGGING_BATCH = 100
RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Unsummarised:
    """Messages that should go into the summary, and the summary so far."""

    summary: str
    summary_seq: int
    """The last message that the summary covers."""
    messages: tuple[Message, ...]


class Summaries:
    """Says what a summary lacks, and keeps the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unsummarised(self, conversation_id: str, keep: int) -> Unsummarised | None:
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
        return Unsummarised(row.summary, row.summary_seq, older) if older else None

    async def replace(self, conversation_id: str, based_on: Unsummarised, summary: str) -> None:
        """Compare and swap: the new summary, unless somebody else has replaced it meanwhile."""
        unchanged = (conversations.c.id == conversation_id) & (conversations.c.summary_seq == based_on.summary_seq)
        async with self._database.write() as connection:
            await connection.execute(
                update(conversations).where(unchanged).values(summary=summary, summary_seq=based_on.messages[-1].seq)
            )

    async def lagging(self, behind: int) -> list[str]:
        """Conversations of the last day whose summary is this many messages behind; a failing model leaves such."""
        query = (
            select(conversations.c.id)
            .join(workspaces, workspaces.c.id == conversations.c.workspace_id)
            .where(
                conversations.c.updated_at > clock.now() - RECENT,
                conversations.c.status != ConversationStatus.CLOSED,
                conversations.c.last_seq - conversations.c.summary_seq >= behind,
            )
            .order_by(conversations.c.updated_at.desc())
            .limit(LAGGING_BATCH)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())
