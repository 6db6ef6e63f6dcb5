"""Repository of chunks: their rows in the database and their vectors, written together."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from sqlalchemy import RowMapping, and_, bindparam, delete, insert, select

from storage.database.batches import change_in_batches
from storage.database.engine import Database
from storage.database.tables import chunks, documents, workspaces
from storage.embeddings.protocol import Embedder, Vectors
from storage.knowledge.chunk_cache import ChunkCache
from storage.knowledge.ranking import vector_id
from storage.knowledge.vectors import VectorStore
from storage.records import Chunk, DocumentStatus

LoadProgress = Callable[[int, int], None]
"""Called with the number of chunks done and the number in all."""

CHUNK_BATCH = 256
"""Chunks embedded at once while a document is loaded: enough to sort by length."""
EMBEDDING_BATCH = 256
"""Texts embedded in one go: what a stopping desk waits for."""
CHUNK_COLUMNS = tuple(chunks.c[name] for name in Chunk.model_fields)
_READY = chunks.join(
    documents, and_(chunks.c.document_id == documents.c.id, documents.c.status == DocumentStatus.READY)
)
_NAMED = (
    select(*CHUNK_COLUMNS).select_from(_READY).where(chunks.c.id.in_(bindparam("chunk_ids", expanding=True))).subquery()
)
_VERSION_AND_NAMED = (
    select(workspaces.c.knowledge_version, *_NAMED.c)
    .select_from(workspaces.outerjoin(_NAMED, _NAMED.c.workspace_id == workspaces.c.id))
    .where(workspaces.c.id == bindparam("workspace"))
)
_VERSION = select(workspaces.c.knowledge_version).where(workspaces.c.id == bindparam("workspace"))


class ChunkStore:
    """Keeps chunks. The knowledge's version, in the workspace's row, counts every change of what is ready."""

    def __init__(self, database: Database, embedder: Embedder, vectors: VectorStore) -> None:
        self._database = database
        self._embedder = embedder
        self._vectors = vectors
        self._embedding = asyncio.Semaphore(1)
        self._cache = ChunkCache()

    async def add(self, workspace_id: str, added: Sequence[Chunk], progress: LoadProgress | None = None) -> None:
        """Keep the rows and vectors of new chunks; they are found once their document is ready.

        Embedding and writing overlap. Raises UnavailableError; `remove` and `add` again then.
        """
        embedded: tuple[Sequence[Chunk], Vectors] | None = None
        for start in range(0, len(added), CHUNK_BATCH):
            batch = added[start : start + CHUNK_BATCH]
            vectors, _ = await asyncio.gather(self._embed(batch), self._write(workspace_id, embedded))
            embedded = batch, vectors
            if progress:
                progress(start + len(batch), len(added))
        await self._write(workspace_id, embedded)

    async def remove(self, workspace_id: str, document_id: str) -> None:
        """Forget the chunks of a document. Raises UnavailableError; do it again then."""
        await asyncio.to_thread(self._vectors.remove, workspace_id, document_id)
        mine = and_(chunks.c.document_id == document_id, chunks.c.workspace_id == workspace_id)
        which, forget = select(chunks.c.id).where(mine), delete(chunks).where(mine)
        await change_in_batches(self._database, which, forget, chunks.c.id)

    async def get(self, workspace_id: str, ids: Collection[str]) -> tuple[int, dict[str, Chunk]]:
        """The knowledge's version and these chunks, as far as their documents are ready."""
        async with self._database.read() as connection:
            current = await connection.scalar(_VERSION, {"workspace": workspace_id})
            if current is None:
                return 0, {}
            cached = self._cache.get(workspace_id, current, ids)
            if cached is not None:
                return current, cached
            values = {"workspace": workspace_id, "chunk_ids": list(ids)}
            rows = (await connection.execute(_VERSION_AND_NAMED, values)).mappings().all()
        # Of this moment: on PostgreSQL the second statement may see more than the first one did.
        version = rows[0]["knowledge_version"] if rows else 0
        found = {row["id"]: chunk_from_row(row) for row in rows if row["id"]}
        self._cache.put(workspace_id, version, ids, found)
        return version, found

    async def ready(self, workspace_id: str) -> tuple[int, list[Chunk]]:
        """The knowledge's version and every chunk of a ready document."""
        query = (
            select(*CHUNK_COLUMNS)
            .select_from(_READY)
            .where(chunks.c.workspace_id == workspace_id)
            .order_by(chunks.c.document_id, chunks.c.position)
        )
        async with self._database.read() as connection:
            # The version first: rows that come later are then read again, never missed.
            version = await connection.scalar(_VERSION, {"workspace": workspace_id})
            rows = (await connection.execute(query)).mappings().all()
        return version or 0, [chunk_from_row(row) for row in rows]

    async def lacks_vectors(self, workspace_id: str) -> bool:
        """Whether there are fewer vectors than texts: another embedding model, lost vectors, a cut-off reindexing."""
        _, ready = await self.ready(workspace_id)
        texts = sum(len(chunk.search_texts()) for chunk in ready)
        return await asyncio.to_thread(self._vectors.count, workspace_id) < texts

    async def reindex(self, workspace_id: str, progress: LoadProgress | None = None) -> int:
        """Make every vector of a workspace anew from its rows, drop the others; gives the number of chunks.

        Documents may be loaded and deleted meanwhile.
        """
        _, ready = await self.ready(workspace_id)
        for start in range(0, len(ready), CHUNK_BATCH):
            batch = ready[start : start + CHUNK_BATCH]
            await asyncio.to_thread(self._upsert, workspace_id, batch, await self._embed(batch))
            if progress:
                progress(start + len(batch), len(ready))
        await asyncio.to_thread(self._vectors.prune, workspace_id, await self._orphans(workspace_id))
        return len(ready)

    async def _orphans(self, workspace_id: str) -> list[str]:
        """The vectors that no row asks for; those of a document that is loading are its own affair."""
        # The vectors first: what is written from now on is not among them.
        owners = await asyncio.to_thread(self._vectors.owners, workspace_id)
        query = select(documents.c.id).where(
            documents.c.workspace_id == workspace_id, documents.c.status == DocumentStatus.LOADING
        )
        async with self._database.read() as connection:
            loading = set((await connection.scalars(query)).all())
        _, ready = await self.ready(workspace_id)
        expected = set(_vector_ids(ready))
        return [name for name, owner in owners.items() if name not in expected and owner not in loading]

    async def _embed(self, batch: Sequence[Chunk]) -> Vectors:
        texts = [text for chunk in batch for text in chunk.search_texts()]
        parts = []
        for start in range(0, len(texts), EMBEDDING_BATCH):
            # One at a time, however many documents are loading: questions are embedded beside it.
            async with self._embedding:
                parts.append(await asyncio.to_thread(self._embedder.embed, texts[start : start + EMBEDDING_BATCH]))
        return np.concatenate(parts)

    async def _write(self, workspace_id: str, embedded: tuple[Sequence[Chunk], Vectors] | None) -> None:
        if embedded is None:
            return
        await asyncio.to_thread(self._upsert, workspace_id, *embedded)
        async with self._database.write() as connection:
            await connection.execute(insert(chunks), [chunk.model_dump(mode="json") for chunk in embedded[0]])

    def _upsert(self, workspace_id: str, batch: Sequence[Chunk], vectors: Vectors) -> None:
        owners = [chunk.document_id for chunk in batch for _ in chunk.search_texts()]
        self._vectors.upsert(workspace_id, _vector_ids(batch), vectors, owners)


def _vector_ids(batch: Sequence[Chunk]) -> list[str]:
    return [vector_id(chunk.id, number) for chunk in batch for number, _ in enumerate(chunk.search_texts())]


def chunk_from_row(row: RowMapping | Mapping[str, object]) -> Chunk:
    """The record of a row of the table `chunks`."""
    return Chunk.model_validate({name: row[name] for name in Chunk.model_fields})
