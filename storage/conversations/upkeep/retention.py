"""Retention: closes what is settled and deletes what nobody needs any more, in batches."""

from datetime import timedelta

from sqlalchemy import and_, delete, select, update

from storage import clock
from storage.conversations.admission.counters import forget_paid_off
from storage.conversations.edits import EARLY_EDITS_KEPT
from storage.database.batches import change_in_batches
from storage.database.engine import Database
from storage.database.tables import conversations, early_edits
from storage.records import ConversationStatus


class Retention:
    """The periodic clean-up of conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close_silent(self, after: timedelta) -> int:
        """Close conversations that were resolved longer ago than this; gives how many."""
        silent = and_(
            conversations.c.status == ConversationStatus.RESOLVED, conversations.c.resolved_at < clock.now() - after
        )
        close = update(conversations).where(silent).values(status=ConversationStatus.CLOSED)
        return await change_in_batches(
            self._database, select(conversations.c.id).where(silent), close, conversations.c.id
        )

    async def forget_early_edits(self) -> int:
        """Changes whose message has not come for a day; gives how many."""
        stale = early_edits.c.created_at < clock.now() - EARLY_EDITS_KEPT
        which, forget = select(early_edits.c.id).where(stale), delete(early_edits).where(stale)
        return await change_in_batches(self._database, which, forget, early_edits.c.id)

    async def forget_rate_limits(self) -> int:
        """Admission counters of customers and workspaces that have been paid off; gives how many."""
        return await forget_paid_off(self._database)
