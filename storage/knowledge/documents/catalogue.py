"""Repository of documents: created with their content, loaded by an idempotent job, listed, deleted."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import RowMapping, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.engine import Database
from storage.database.tables import chunks, documents, workspaces
from storage.errors import InvalidError, NotFoundError
from storage.knowledge.chunks import CHUNK_COLUMNS, LoadProgress, chunk_from_row
from storage.knowledge.documents.parsed import ParsedChunk, ParsedFile
from storage.knowledge.documents.progress import recorded_progress
from storage.knowledge.documents.readers import read, reader_of
from storage.knowledge.search import Knowledge
from storage.records import Chunk, Document, DocumentStatus, RejectedRow, new_id

BEING_DELETED = "It is being deleted. If it is still here in a minute, delete it again."
DOCUMENT_COLUMNS = tuple(column for column in documents.c if column.name != "content")


class Catalogue:
    """Document rows and what was loaded from them. A document that is not ready is found by no search."""

    def __init__(self, database: Database, knowledge: Knowledge) -> None:
        self._database = database
        self._knowledge = knowledge

    async def create(self, workspace_id: str, filename: str, content: bytes, created_by: str | None = None) -> Document:
        """Keep a file, status `loading`; the caller then enqueues the job of `load_document`.

        Raises InvalidError for a format that is not accepted; nothing is kept then.
        """
        reader_of(filename)
        return await self._create(workspace_id, filename, content, created_by)

    async def store(self, workspace_id: str, name: str, loaded: ParsedFile, created_by: str | None = None) -> Document:
        """Keep chunks that come from no file, at once. Raises UnavailableError."""
        document = await self._create(workspace_id, name, b"", created_by)
        await self._knowledge.chunks.add(workspace_id, _chunks(document, loaded.chunks))
        return await self._publish(document, loaded)

    async def _create(self, workspace_id: str, filename: str, content: bytes, created_by: str | None) -> Document:
        document_id = new_id()
        async with self._database.write() as connection:
            await connection.execute(
                insert(documents).values(
                    id=document_id,
                    workspace_id=workspace_id,
                    filename=filename[-300:],
                    status=DocumentStatus.LOADING,
                    rejected_rows=[],
                    size=len(content),
                    content=content,
                    created_by=created_by,
                    created_at=clock.now(),
                )
            )
        return await self.get(workspace_id, document_id)

    async def list(self, workspace_id: str) -> tuple[Document, ...]:
        """Every document, newest first."""
        query = select(*DOCUMENT_COLUMNS).where(documents.c.workspace_id == workspace_id)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(documents.c.created_at.desc(), documents.c.id))
        return tuple(map(_document, rows.mappings()))

    async def get(self, workspace_id: str, document_id: str) -> Document:
        """One document. Raises NotFoundError."""
        async with self._database.read() as connection:
            rows = await connection.execute(_one(document_id).where(documents.c.workspace_id == workspace_id))
        row = rows.mappings().one_or_none()
        if row is None:
            raise NotFoundError
        return _document(row)

    async def chunks(self, workspace_id: str, document_id: str, limit: int = 200, after: int = -1) -> tuple[Chunk, ...]:
        """What was loaded, in the document's order, after this position."""
        query = (
            select(*CHUNK_COLUMNS)
            .where(
                chunks.c.workspace_id == workspace_id,
                chunks.c.document_id == document_id,
                chunks.c.position > after,
            )
            .order_by(chunks.c.position)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return tuple(map(chunk_from_row, (await connection.execute(query)).mappings()))

    async def delete(self, workspace_id: str, document_id: str) -> None:
        """Forget a document, its chunks and vectors. Raises NotFoundError, UnavailableError."""
        async with self._database.write() as connection:
            # Hidden first: cut off in the middle, it answers nobody, and deleting again finishes the work.
            hidden = await connection.execute(
                update(documents)
                .where(documents.c.id == document_id, documents.c.workspace_id == workspace_id)
                .values(status=DocumentStatus.FAILED, error=BEING_DELETED)
            )
            if not hidden.rowcount:
                raise NotFoundError
            await _count_change(connection, workspace_id)
        await self._knowledge.chunks.remove(workspace_id, document_id)
        async with self._database.write() as connection:
            await connection.execute(delete(documents).where(documents.c.id == document_id))
        await self._knowledge.refresh(workspace_id)

    async def load_document(self, document_id: str, progress: LoadProgress | None = None) -> Document:
        """The load job: read, embed, make searchable; ends `ready` or `failed` (with the reason).

        Idempotent: cut off anywhere and run again, it leaves no double chunk and no orphan vector. A document that
        is not `loading` any more is left as it is. Raises NotFoundError, and UnavailableError (try again later).
        """
        document, content = await self._content(document_id)
        if document.status is not DocumentStatus.LOADING:
            return document
        try:
            loaded = await asyncio.to_thread(read, document.filename, content)
        except InvalidError as error:
            await self._finish(document, status=DocumentStatus.FAILED, error=error.detail)
            return await self.get(document.workspace_id, document_id)
        # What an earlier try left behind.
        await self._knowledge.chunks.remove(document.workspace_id, document_id)
        try:
            async with recorded_progress(self._database, document_id, progress) as report:
                await self._knowledge.chunks.add(document.workspace_id, _chunks(document, loaded.chunks), report)
        except IntegrityError as error:
            # The document was deleted while it was loading, so its chunks belong to nothing.
            await self._knowledge.chunks.remove(document.workspace_id, document_id)
            raise NotFoundError from error
        return await self._publish(document, loaded)

    async def give_up(self, document_id: str, reason: str) -> None:
        """The load failed at every try: say so, and what to do."""
        document, _ = await self._content(document_id)
        error = f"It could not be loaded ({reason}). Delete it and load the file again."
        await self._finish(document, status=DocumentStatus.FAILED, error=error)

    async def _content(self, document_id: str) -> tuple[Document, bytes]:
        async with self._database.read() as connection:
            row = (
                (await connection.execute(_one(document_id).add_columns(documents.c.content))).mappings().one_or_none()
            )
        if row is None:
            raise NotFoundError
        return _document(row), bytes(row["content"])

    async def _publish(self, document: Document, loaded: ParsedFile) -> Document:
        status = DocumentStatus.READY if loaded.chunks else DocumentStatus.FAILED
        error = None if loaded.chunks else "No row could be used."
        if not await self._finish(document, status=status, error=error, loaded=loaded):
            # Deleted while it was loading.
            await self._knowledge.chunks.remove(document.workspace_id, document.id)
            raise NotFoundError
        await self._knowledge.refresh(document.workspace_id)
        return await self.get(document.workspace_id, document.id)

    async def _finish(
        self, document: Document, *, status: DocumentStatus, error: str | None, loaded: ParsedFile | None = None
    ) -> bool:
        """End a load; false if the document was deleted meanwhile."""
        async with self._database.write() as connection:
            ended = await connection.execute(
                update(documents)
                .where(documents.c.id == document.id, documents.c.status == DocumentStatus.LOADING)
                .values(
                    status=status,
                    error=error,
                    entries=len(loaded.chunks) if loaded else 0,
                    rejected_rows=[asdict(refused) for refused in loaded.refused] if loaded else [],
                )
            )
            await _count_change(connection, document.workspace_id)
        return bool(ended.rowcount)


async def _count_change(connection: AsyncConnection, workspace_id: str) -> None:
    version = workspaces.c.knowledge_version
    await connection.execute(update(workspaces).where(workspaces.c.id == workspace_id).values({version: version + 1}))


def _one(document_id: str) -> Select[tuple[object, ...]]:
    return select(*DOCUMENT_COLUMNS).where(documents.c.id == document_id)


def _document(row: RowMapping) -> Document:
    return Document(
        id=row["id"],
        workspace_id=row["workspace_id"],
        filename=row["filename"],
        status=DocumentStatus(row["status"]),
        entries=row["entries"],
        refused=tuple(RejectedRow(**refused) for refused in row["rejected_rows"]),
        error=row["error"],
        size=row["size"],
        created_at=row["created_at"],
        progress=row["progress"],
    )


def _chunks(document: Document, chunks: Sequence[ParsedChunk]) -> list[Chunk]:
    """The same chunks of the same document always get the same ids, so that a second try replaces the first."""
    return [
        Chunk(
            id=hashlib.sha256(f"{document.id}/{position}".encode()).hexdigest()[:32],
            workspace_id=document.workspace_id,
            document_id=document.id,
            kind=chunk.kind,
            title=chunk.title,
            text=chunk.text,
            alternatives=chunk.alternatives,
            tags=chunk.tags,
            position=position,
            url=chunk.url,
        )
        for position, chunk in enumerate(chunks)
    ]
