"""Read cursors: up to when each server was read, so that a fresh session knows where to read on."""

from datetime import datetime, timedelta

from storage import clock
from storage.channels.read_cursors import ReadCursors

WRITE_INTERVAL = timedelta(seconds=30)
"""How often a server's cursor is written while people talk; what came after it is read again, and changes nothing."""


class DiscordReadCursors:
    """Cursors advance while a session misses nothing; while a fresh session is backfilled they stay."""

    def __init__(self, cursors: ReadCursors) -> None:
        self._cursors = cursors
        self._written: dict[int, datetime] = {}
        """Per server that is caught up, the cursor as it was last written."""

    def start_session(self, shard_id: int, shard_count: int) -> None:
        """The shard has a fresh session: what is read now says nothing of what came before."""
        self._written = {guild: at for guild, at in self._written.items() if (guild >> 22) % shard_count != shard_id}

    def hold_back(self, guild_id: int) -> None:
        """Something there could not be handled: the next session reads it again."""
        self._written.pop(guild_id, None)

    async def begin_backfill(self, guild_id: int) -> datetime | None:
        """Up to when the server was read; None for one that is new to the desk."""
        self.hold_back(guild_id)
        return await self._cursors.read_until("discord", str(guild_id))

    async def caught_up(self, workspace_id: str, guild_id: int, at: datetime) -> None:
        """Everything up to this time is read, and what comes from now on is."""
        await self._cursors.advance(workspace_id, "discord", str(guild_id), at)
        self._written[guild_id] = at

    async def advance(self, workspace_id: str, guild_id: int, at: datetime) -> None:
        """A message of this time was handled."""
        written = self._written.get(guild_id)
        if written is not None and at - written >= WRITE_INTERVAL:
            self._written[guild_id] = at
            await self._cursors.advance(workspace_id, "discord", str(guild_id), min(at, clock.now()))
