"""The texts of a conversation: appended in order, read back with the draft and vote of each reply."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.conversations.drafts import draft_columns, draft_of
from storage.database.engine import Database
from storage.database.tables import (
    conversations,
    deliveries,
    drafts,
    feedback,
    members,
    messages,
)
from storage.records import (
    READ_FROM_ROWS,
    Attachment,
    Author,
    DeliveryStatus,
    Message,
    Visibility,
    new_id,
)

FIRST_LINE_LENGTH = 140

# Built once: making such a statement takes longer than running it.
LOCK = (
    select(conversations)
    .where(
        conversations.c.id == bindparam("conversation_id"), conversations.c.workspace_id == bindparam("workspace_id")
    )
    .with_for_update()
)
CHANGE_CONVERSATION = update(conversations).where(conversations.c.id == bindparam("this_conversation"))
APPEND = insert(messages)
DISPATCH = insert(deliveries)


async def lock(connection: AsyncConnection, workspace_id: str, conversation_id: str) -> RowMapping | None:
    """The conversation's row, held against every other writer until the transaction ends."""
    found = await connection.execute(LOCK, {"conversation_id": conversation_id, "workspace_id": workspace_id})
    return found.mappings().one_or_none()


async def append(
    connection: AsyncConnection,
    conversation: RowMapping,
    seq: int,
    author: Author,
    text: str,
    *,
    visibility: Visibility = Visibility.PUBLIC,
    external_id: str | None = None,
    member_id: str | None = None,
    turn_id: str | None = None,
    draft_id: str | None = None,
    attachments: Sequence[Attachment] = (),
) -> str:
    """Add a message at `seq`; the caller holds the conversation's lock and moves its `last_seq`."""
    message_id = new_id()
    await connection.execute(
        APPEND,
        {
            "id": message_id,
            "workspace_id": conversation["workspace_id"],
            "conversation_id": conversation["id"],
            "channel": conversation["channel"],
            "external_id": external_id,
            "seq": seq,
            "author": author,
            "visibility": visibility,
            "text": text,
            "attachments": [_kept(attachment) for attachment in attachments] or None,
            "member_id": member_id,
            "turn_id": turn_id,
            "draft_id": draft_id,
            "created_at": clock.now(),
        },
    )
    return message_id


async def dispatch(connection: AsyncConnection, conversation: RowMapping, message_id: str, seq: int) -> None:
    """Put a message on its way to the channel; where customers read the rows it has arrived with the commit."""
    at, arrived = clock.now(), conversation["channel"] in READ_FROM_ROWS
    await connection.execute(
        DISPATCH,
        {
            "id": new_id(),
            "workspace_id": conversation["workspace_id"],
            "conversation_id": conversation["id"],
            "message_id": message_id,
            "channel": conversation["channel"],
            "seq": seq,
            "status": DeliveryStatus.SENT if arrived else DeliveryStatus.PENDING,
            "external_id": message_id if arrived else None,
            "next_attempt_at": at,
            "created_at": at,
            "finished_at": at if arrived else None,
        },
    )


async def say(
    connection: AsyncConnection,
    conversation: RowMapping,
    text: str,
    *,
    member_id: str | None = None,
    visibility: Visibility = Visibility.INTERNAL,
) -> None:
    """Add a system line, such as a take-over; moves `last_seq` and, when public, sends it to the channel."""
    seq = await next_seq(connection, conversation["id"])
    message_id = await append(
        connection, conversation, seq, Author.SYSTEM, text, visibility=visibility, member_id=member_id
    )
    if visibility is Visibility.PUBLIC:
        await dispatch(connection, conversation, message_id, seq)


async def is_known(connection: AsyncConnection, conversation: RowMapping, external_id: str) -> bool:
    """Whether a message with the channel's id is kept already."""
    query = select(messages.c.id).where(
        messages.c.workspace_id == conversation["workspace_id"],
        messages.c.channel == conversation["channel"],
        messages.c.external_id == external_id,
    )
    return (await connection.execute(query)).first() is not None


async def next_seq(connection: AsyncConnection, conversation_id: str) -> int:
    """Take the conversation's next sequence number."""
    query = (
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(last_seq=conversations.c.last_seq + 1, updated_at=clock.now())
        .returning(conversations.c.last_seq)
    )
    return int((await connection.execute(query)).scalar_one())


class Messages:
    """Reads the texts of conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_conversation(
        self, workspace_id: str, conversation_id: str, *, after_seq: int = 0, internal: bool = False
    ) -> list[Message]:
        """The messages of a conversation in order; notes and system lines for members only with `internal`."""
        query = reading().where(
            messages.c.workspace_id == workspace_id,
            messages.c.conversation_id == conversation_id,
            messages.c.seq > after_seq,
        )
        if not internal:
            query = query.where(messages.c.visibility == Visibility.PUBLIC)
        async with self._database.read() as connection:
            return [message_of(row) for row in (await connection.execute(query.order_by(messages.c.seq))).mappings()]

    async def latest(self, workspace_id: str, conversation_id: str, limit: int) -> list[Message]:
        """The newest messages of a conversation in order, with notes and system lines."""
        query = (
            reading()
            .where(messages.c.workspace_id == workspace_id, messages.c.conversation_id == conversation_id)
            .order_by(messages.c.seq.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            found = [message_of(row) for row in (await connection.execute(query)).mappings()]
        return found[::-1]

    async def find(self, workspace_id: str, message_id: str) -> Message | None:
        """One message by its id."""
        query = reading().where(messages.c.workspace_id == workspace_id, messages.c.id == message_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return message_of(row) if row else None


def reading() -> Select[Any]:
    """A query over messages with the name of the member, the vote and the draft of each."""
    columns: list[Any] = [messages, members.c.name.label("member_name"), feedback.c.vote, *draft_columns()]
    return (
        select(*columns)
        .outerjoin(members, members.c.id == messages.c.member_id)
        .outerjoin(feedback, feedback.c.message_id == messages.c.id)
        .outerjoin(drafts, drafts.c.id == messages.c.draft_id)
    )


def message_of(row: RowMapping) -> Message:
    """The record of a joined row."""
    return replace(
        plain_message_of(row),
        member_name=row["member_name"],
        draft=draft_of(row) if row["draft_id"] else None,
        vote=row["vote"],
    )


def plain_message_of(row: RowMapping) -> Message:
    """The record of a row of the messages table alone: no member's name, draft or vote."""
    return Message(
        id=row["id"],
        workspace_id=row["workspace_id"],
        conversation_id=row["conversation_id"],
        seq=row["seq"],
        author=Author(row["author"]),
        visibility=Visibility(row["visibility"]),
        text=row["text"],
        created_at=row["created_at"],
        member_id=row["member_id"],
        attachments=tuple(Attachment(**kept) for kept in row["attachments"] or ()),
    )


def _kept(attachment: Attachment) -> dict[str, str | int]:
    return {
        "name": attachment.name,
        "url": attachment.url,
        "media_type": attachment.media_type,
        "size": attachment.size,
    }


def first_line(text: str, length: int = FIRST_LINE_LENGTH) -> str:
    """The first line that is not empty, cut to `length` characters."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= length else line[: length - 1] + "…"
