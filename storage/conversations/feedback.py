"""Customers' votes on replies; a vote is also a label on the draft that was sent."""

from sqlalchemy import select

from storage import audit, clock
from storage.conversations import labels
from storage.database.engine import Database
from storage.database.tables import feedback, messages
from storage.database.upsert import insert_into
from storage.errors import InvalidError, NotFoundError
from storage.records import Author, LabelSource, Vote, new_id

MAX_COMMENT_LENGTH = 2000


class Feedback:
    """Keeps one vote per reply; voting again changes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def vote(
        self, workspace_id: str, conversation_id: str, message_id: str, vote: Vote, comment: str = ""
    ) -> None:
        """Keep the customer's vote on a reply of this conversation."""
        if len(comment) > MAX_COMMENT_LENGTH:
            raise InvalidError(f"The comment has {len(comment)} characters; {MAX_COMMENT_LENGTH} is the most.")
        query = select(messages.c.author, messages.c.draft_id).where(
            messages.c.id == message_id,
            messages.c.conversation_id == conversation_id,
            messages.c.workspace_id == workspace_id,
        )
        async with self._database.write() as connection:
            reply = (await connection.execute(query)).one_or_none()
            if reply is None or reply.author not in (Author.BOT, Author.AGENT):
                raise NotFoundError("There is no such reply in this conversation.")
            row = insert_into(connection, feedback).values(
                id=new_id(),
                workspace_id=workspace_id,
                conversation_id=conversation_id,
                message_id=message_id,
                vote=vote,
                comment=comment,
                created_at=clock.now(),
            )
            changed = {"vote": vote, "comment": comment}
            await connection.execute(row.on_conflict_do_update(index_elements=["message_id"], set_=changed))
            if reply.draft_id:
                await labels.put(connection, workspace_id, reply.draft_id, LabelSource.VOTE, vote == "up")
            await audit.record(
                connection,
                "feedback.given",
                workspace_id,
                conversation_id=conversation_id,
                data={"message_id": message_id, "vote": vote},
            )
