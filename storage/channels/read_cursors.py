"""Read cursors: up to when each chat server was read, so that what a lost session missed can be fetched."""

from datetime import datetime

from sqlalchemy import select

from storage.database.engine import Database
from storage.database.tables import read_cursors
from storage.database.upsert import insert_into
from storage.records import ChannelName, new_id

KEY = ["channel", "team"]


class ReadCursors:
    """One cursor per Slack team or Discord guild."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def advance(self, workspace_id: str, channel: ChannelName, team: str, read_until: datetime) -> None:
        """Everything up to this time was read; an earlier time than the kept one changes nothing."""
        async with self._database.write() as connection:
            row = insert_into(connection, read_cursors).values(
                id=new_id(), workspace_id=workspace_id, channel=channel, team=team, read_until=read_until
            )
            newest = {"workspace_id": workspace_id, "read_until": read_until}
            await connection.execute(
                row.on_conflict_do_update(index_elements=KEY, set_=newest, where=read_cursors.c.read_until < read_until)
            )

    async def read_until(self, channel: ChannelName, team: str) -> datetime | None:
        """Up to when; None if nothing was read there yet."""
        query = select(read_cursors.c.read_until).where(read_cursors.c.channel == channel, read_cursors.c.team == team)
        async with self._database.read() as connection:
            read_until: datetime | None = await connection.scalar(query)
        return read_until
