"""How late the desk is, for telling who writes now: a look at the rows every few seconds, whoever serves them."""

import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.tables import Utc

BACKLOG_REFRESH_SECONDS = 3.0
# The partial index is only found by the literal status.
LATEST_DUE = text("""
    SELECT due_at FROM turns WHERE status = 'queued' AND due_at <= :now ORDER BY due_at LIMIT 1 OFFSET :at_work
""").columns(due_at=Utc())


class BacklogMonitor:
    """Remembers for a moment how late the desk is."""

    def __init__(self, busy_seconds: float, at_work: int) -> None:
        self._busy_seconds = busy_seconds
        self._at_work = at_work
        """Turns that may be at work or between two tries are no sign of a queue."""
        self._late = 0.0
        self._looked_at = -BACKLOG_REFRESH_SECONDS

    async def is_busy(self, connection: AsyncConnection) -> bool:
        """Whether a turn that nobody has begun has been due for `conversation.busy_seconds`."""
        if not self._busy_seconds:
            return False
        if time.monotonic() - self._looked_at >= BACKLOG_REFRESH_SECONDS:
            self._looked_at = time.monotonic()
            self._late = await late_seconds(connection, self._at_work)
        return self._late >= self._busy_seconds


async def late_seconds(connection: AsyncConnection, at_work: int = 0) -> float:
    """For how long the oldest turn has been due, not counting so many that may be at work."""
    now = clock.now()
    due = (await connection.execute(LATEST_DUE, {"now": now, "at_work": at_work})).scalar_one_or_none()
    return (now - due).total_seconds() if due else 0.0
