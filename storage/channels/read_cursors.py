"""How far the desk has heard what is said in a chat server, so that what a lost session missed can be read."""

from datetime import datetime

from sqlalchemy import select

from storage.database.engine import Database
from storage.database.tables import marks
from storage.database.upsert import insert_into
from storage.records import ChannelName, new_id

KEY = ["channel", "team"]


class ReadCursors:
    """One time per Slack team or Discord guild."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, workspace_id: str, channel: ChannelName, team: str, heard_at: datetime) -> None:
        """Everything that was said there up to this time was heard."""
        async with self._database.write() as connection:
            row = insert_into(connection, marks).values(
                id=new_id(), workspace_id=workspace_id, channel=channel, team=team, heard_at=heard_at
            )
            newest = {"workspace_id": workspace_id, "heard_at": heard_at}
            await connection.execute(
                row.on_conflict_do_update(index_elements=KEY, set_=newest, where=marks.c.heard_at < heard_at)
            )

    async def heard_at(self, channel: ChannelName, team: str) -> datetime | None:
        """Up to when; None if nothing was heard there yet."""
        query = select(marks.c.heard_at).where(marks.c.channel == channel, marks.c.team == team)
        async with self._database.read() as connection:
            heard_at: datetime | None = await connection.scalar(query)
        return heard_at
