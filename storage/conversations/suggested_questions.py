"""What customers of a workspace ask most, as questions that the knowledge answers."""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import ColumnElement, select

from storage.database.engine import Database
from storage.database.tables import (
    chunks,
    documents,
    drafts,
    messages,
)
from storage.records import Author, ChunkKind, DocumentStatus

LOOKED_AT = 300
"""The newest answers that are counted: what is asked now, at a cost that does not grow."""
READY = chunks.join(documents, chunks.c.document_id == documents.c.id)


class SuggestedQuestions:
    """FAQ questions worth suggesting: never a customer's own words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def questions(self, workspace_id: str, limit: int = 4) -> tuple[str, ...]:
        """The FAQ questions that answered most lately; where these are fewer, the first of the knowledge."""
        titles = await self._titles(workspace_id, await self._cited(workspace_id), limit)
        if len(titles) < limit:
            titles += await self._first(workspace_id, limit + len(titles))
        return tuple(dict.fromkeys(titles))[:limit]

    async def _cited(self, workspace_id: str) -> list[str]:
        """Chunks that replies of the bot rest on, the most often used first."""
        query = (
            select(drafts.c.citations)
            .join(messages, messages.c.draft_id == drafts.c.id)
            .where(messages.c.workspace_id == workspace_id, messages.c.author == Author.BOT)
            .order_by(messages.c.created_at.desc())
            .limit(LOOKED_AT)
        )
        async with self._database.read() as connection:
            answers = (await connection.scalars(query)).all()
        counted = Counter(str(citation["chunk_id"]) for citations in answers for citation in citations[:1])
        return [chunk_id for chunk_id, _ in counted.most_common()]

    async def _titles(self, workspace_id: str, ids: Collection[str], limit: int) -> list[str]:
        """The questions of these chunks in this order, as far as they are FAQ entries that are still there."""
        query = select(chunks.c.id, chunks.c.title).select_from(READY).where(*_faq(workspace_id), chunks.c.id.in_(ids))
        async with self._database.read() as connection:
            titles = {row.id: row.title for row in await connection.execute(query)}
        return [titles[chunk_id] for chunk_id in ids if chunk_id in titles][:limit]

    async def _first(self, workspace_id: str, limit: int) -> list[str]:
        query = select(chunks.c.title).select_from(READY).where(*_faq(workspace_id))
        query = query.order_by(documents.c.created_at, documents.c.id, chunks.c.position).limit(limit)
        async with self._database.read() as connection:
            return list((await connection.scalars(query)).all())


def _faq(workspace_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        chunks.c.workspace_id == workspace_id,
        chunks.c.kind == ChunkKind.FAQ,
        documents.c.status == DocumentStatus.READY,
    )
