"""What nobody needs any more or nobody has done yet, found by looking through the rows now and then."""

from datetime import timedelta

from sqlalchemy import delete, select

from storage import clock
from storage.conversations.admission.rate_limit import forget_shares
from storage.conversations.edits import EARLY_CHANGES_KEPT
from storage.database.batches import change_in_batches
from storage.database.engine import Database
from storage.database.tables import conversations, early_changes, workspaces
from storage.records import ConversationStatus

BATCH = 100
LATELY = timedelta(days=1)


class Retention:
    """Finds and removes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget_early_changes(self) -> int:
        """Changes whose message has not come for a day; gives how many."""
        stale = early_changes.c.created_at < clock.now() - EARLY_CHANGES_KEPT
        which, forget = select(early_changes.c.id).where(stale), delete(early_changes).where(stale)
        return await change_in_batches(self._database, which, forget, early_changes.c.id)

    async def forget_shares(self) -> int:
        """Customers' and workspaces' shares that have been paid off; gives how many."""
        return await forget_shares(self._database)

    async def lagging_summaries(self, behind: int) -> list[str]:
        """Conversations of the last day whose summary is this many messages behind; a failing model leaves such."""
        query = (
            select(conversations.c.id)
            .join(workspaces, workspaces.c.id == conversations.c.workspace_id)
            .where(
                conversations.c.updated_at > clock.now() - LATELY,
                conversations.c.status != ConversationStatus.CLOSED,
                conversations.c.last_seq - conversations.c.summary_seq >= behind,
            )
            .order_by(conversations.c.updated_at.desc())
            .limit(BATCH)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())
