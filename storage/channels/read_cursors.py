"""How far the desk has heard what is said in a chat server, so that what a lost session missed can be read."""

from datetime import datetime

from sqlalchemy import select

from storage.database.engine import Database
from storage.database.tables import read_cursors
from storage.database.upsert import insert_into
from storage.records import ChannelName, new_id

KEY = ["channel", "team"]


class ReadCursors:
    """One time per Slack team or Discord guild."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def advance(self, workspace_id: str, channel: ChannelName, team: str, read_until: datetime) -> None:
        """Everything that was said there up to this time was heard."""
        async with self._database.write() as connection:
            row = insert_into(connection, read_cursors).values(
                id=new_id(), workspace_id=workspace_id, channel=channel, team=team, read_until=read_until
            )
            newest = {"workspace_id": workspace_id, "read_until": read_until}
            await connection.execute(
                row.on_conflict_do_update(index_elements=KEY, set_=newest, where=read_cursors.c.read_until < read_until)
            )

    async def read_until(self, channel: ChannelName, team: str) -> datetime | None:
        """Up to when; None if nothing was heard there yet."""
        query = select(read_cursors.c.read_until).where(read_cursors.c.channel == channel, read_cursors.c.team == team)
        async with self._database.read() as connection:
            read_until: datetime | None = await connection.scalar(query)
        return read_until
