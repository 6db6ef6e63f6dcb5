"""How far each server was heard: so that a fresh session knows which channels have something that nobody heard."""

from datetime import datetime, timedelta

from storage import clock
from storage.channels.read_cursors import ReadCursors

EVERY = timedelta(seconds=30)
"""How often a server's mark is written while people talk; what was heard since is read again, and changes nothing."""


class DiscordReadCursors:
    """Marks move on while a session hears everything; from a fresh session's begin until it has caught up they stay."""

    def __init__(self, marks: ReadCursors) -> None:
        self._marks = marks
        self._kept: dict[int, datetime] = {}
        """Per server that is caught up, the mark as it was last written."""

    def stop(self, shard_id: int, shard_count: int) -> None:
        """The shard has a fresh session: what is heard now says nothing of what came before."""
        self._kept = {guild: at for guild, at in self._kept.items() if (guild >> 22) % shard_count != shard_id}

    def hold(self, guild_id: int) -> None:
        """Something there could not be handled: the next session reads it again."""
        self._kept.pop(guild_id, None)

    async def since(self, guild_id: int) -> datetime | None:
        """Up to when the server was heard; None for one that is new to the desk."""
        self.hold(guild_id)
        return await self._marks.read_until("discord", str(guild_id))

    async def caught_up(self, workspace_id: str, guild_id: int, at: datetime) -> None:
        """Everything up to this time is heard, and what comes from now on is."""
        await self._marks.advance(workspace_id, "discord", str(guild_id), at)
        self._kept[guild_id] = at

    async def heard(self, workspace_id: str, guild_id: int, at: datetime) -> None:
        """A message of this time was handled."""
        kept = self._kept.get(guild_id)
        if kept is not None and at - kept >= EVERY:
            self._kept[guild_id] = at
            await self._marks.advance(workspace_id, "discord", str(guild_id), min(at, clock.now()))
