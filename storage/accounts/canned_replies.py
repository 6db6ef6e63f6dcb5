"""Canned replies: texts that a workspace's agents put into a reply with one click."""

from dataclasses import dataclass

from sqlalchemy import delete, select

from storage import clock
from storage.database.engine import Database
from storage.database.tables import canned_replies
from storage.database.upsert import insert_into
from storage.errors import InvalidError
from storage.records import new_id

KEY = ["workspace_id", "title"]


@dataclass(frozen=True, slots=True)
class CannedReply:
    """One text with the title that it is picked by."""

    id: str
    title: str
    text: str


class CannedReplies:
    """Keeps each workspace's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, workspace_id: str) -> list[CannedReply]:
        """The workspace's canned replies by title."""
        query = (
            select(canned_replies).where(canned_replies.c.workspace_id == workspace_id).order_by(canned_replies.c.title)
        )
        async with self._database.read() as connection:
            return [CannedReply(row.id, row.title, row.text) for row in await connection.execute(query)]

    async def keep(self, workspace_id: str, title: str, text: str) -> None:
        """Add a canned reply; the same title again replaces its text."""
        title, text = title.strip()[:200], text.strip()
        if not title or not text:
            raise InvalidError("A canned reply needs a title and a text.")
        async with self._database.write() as connection:
            row = insert_into(connection, canned_replies).values(
                id=new_id(), workspace_id=workspace_id, title=title, text=text, created_at=clock.now()
            )
            await connection.execute(row.on_conflict_do_update(index_elements=KEY, set_={"text": text}))

    async def remove(self, workspace_id: str, reply_id: str) -> None:
        """Forget a canned reply."""
        mine = (canned_replies.c.workspace_id == workspace_id) & (canned_replies.c.id == reply_id)
        async with self._database.write() as connection:
            await connection.execute(delete(canned_replies).where(mine))
