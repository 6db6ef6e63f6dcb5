"""What a workspace knows: chunks found by meaning (Chroma) and by words (BM25), fused."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice

import numpy as np
import structlog
from sqlalchemy import RowMapping, and_, bindparam, delete, insert, select

from storage.database.batches import change_in_batches
from storage.database.engine import Database
from storage.database.tables import chunks, documents, workspaces
from storage.embeddings.protocol import Embedder, Vectors
from storage.errors import UnavailableError
from storage.knowledge.chunk_cache import ChunkCache
from storage.knowledge.keyword_index import KeywordIndex, build_index
from storage.knowledge.phrasings import texts_of
from storage.knowledge.ranking import (
    Match,
    contenders,
    matches,
    scored,
    vector_id,
)
from storage.knowledge.vectors import VectorStore
from storage.records import Chunk, ChunkKind, DocumentStatus, Hit

Progress = Callable[[int, int], None]
"""Called with the number of chunks done and the number in all."""

VECTORS = 100
"""Nearest vectors asked of Chroma: the phrasings of one FAQ entry share them."""
SPARE = 5
"""Rows read beyond the limit: some chunks belong to documents that are not ready, or not any more."""
PATIENCE = 1.0
"""Seconds that a question waits for the keyword index when there is none yet."""
BATCH = 256
"""Chunks embedded at once while a document is loaded: enough to sort by length."""
SLICE = 256
"""Texts embedded in one go: what a stopping desk waits for."""
log = structlog.get_logger(__name__)
CHUNK_COLUMNS = tuple(chunks.c[name] for name in Chunk.model_fields)
READY = chunks.join(documents, and_(chunks.c.document_id == documents.c.id, documents.c.status == DocumentStatus.READY))
WANTED = (
    select(*CHUNK_COLUMNS).select_from(READY).where(chunks.c.id.in_(bindparam("chunk_ids", expanding=True))).subquery()
)
FOUND = (
    select(workspaces.c.knowledge_version, *WANTED.c)
    .select_from(workspaces.outerjoin(WANTED, WANTED.c.workspace_id == workspaces.c.id))
    .where(workspaces.c.id == bindparam("workspace"))
)
"""The knowledge's version and these chunks, as far as their documents are ready."""
VERSION = select(workspaces.c.knowledge_version).where(workspaces.c.id == bindparam("workspace"))


class Knowledge:
    """Search over the chunks of ready documents; keeper of the chunks' rows and vectors."""

    def __init__(self, database: Database, embedder: Embedder, vectors: VectorStore) -> None:
        self._database = database
        self._embedder = embedder
        self._vectors = vectors
        self._bulk = asyncio.Semaphore(1)
        self._read = ChunkCache()
        self._indexes: dict[str, KeywordIndex] = {}
        self._building: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._refreshing: dict[str, asyncio.Task[None]] = {}

    @property
    def embedder(self) -> Embedder:
        """What turns texts into vectors here."""
        return self._embedder

    async def search(
        self, workspace_id: str, query: str, limit: int = 5, exclude: Collection[str] = frozenset()
    ) -> tuple[Hit, ...]:
        """The best chunks for a query, best first, without the chunk ids in `exclude`. Raises UnavailableError."""
        if not query.strip():
            return ()
        index = await self._index(workspace_id)
        ranked = await asyncio.to_thread(self._rank, workspace_id, index, query)
        allowed = [match for match in ranked if match.chunk_id not in exclude]
        version, rows = await self._rows(workspace_id, [match.chunk_id for match in allowed[: limit + SPARE]])
        if version != index.version:
            self._refresh_later(workspace_id)
        hits = (_hit(match, rows[match.chunk_id]) for match in allowed if match.chunk_id in rows)
        return tuple(islice(hits, limit))

    async def neighbours(
        self, workspace_id: str, chunk: Chunk, limit: int = 3, exclude: Collection[str] = frozenset()
    ) -> tuple[Chunk, ...]:
        """The FAQ entries nearest to a chunk: what the customer may ask next."""
        hits = await self.search(workspace_id, chunk.title, 2 * limit + 2, {chunk.id, *exclude})
        return tuple(hit.chunk for hit in hits if hit.chunk.kind is ChunkKind.FAQ)[:limit]

    async def add(self, workspace_id: str, added: Sequence[Chunk], progress: Progress | None = None) -> None:
        """Keep the rows and vectors of new chunks; they are found once their document is ready.

        Embedding and writing overlap. Raises UnavailableError; `remove` and `add` again then.
        """
        written = 0
        waiting: tuple[Sequence[Chunk], Vectors] | None = None
        for start in range(0, len(added), BATCH):
            batch = added[start : start + BATCH]
            vectors, _ = await asyncio.gather(self._embed(batch), self._write(workspace_id, waiting))
            waiting = batch, vectors
            written += len(batch)
            if progress:
                progress(written, len(added))
        await self._write(workspace_id, waiting)

    async def remove(self, workspace_id: str, document_id: str) -> None:
        """Forget the chunks of a document. Raises UnavailableError; do it again then."""
        await asyncio.to_thread(self._vectors.remove, workspace_id, document_id)
        mine = and_(chunks.c.document_id == document_id, chunks.c.workspace_id == workspace_id)
        which, forget = select(chunks.c.id).where(mine), delete(chunks).where(mine)
        await change_in_batches(self._database, which, forget, chunks.c.id)

    async def lacks_vectors(self, workspace_id: str) -> bool:
        """Whether there are fewer vectors than texts: another embedding model, lost vectors, a cut-off reindexing."""
        _, rows = await self._ready(workspace_id)
        return await asyncio.to_thread(self._vectors.count, workspace_id) < sum(len(texts_of(row)) for row in rows)

    async def reindex(self, workspace_id: str, progress: Progress | None = None) -> int:
        """Make every vector of a workspace anew from its rows, drop the others; gives the number of chunks.

        Documents may be loaded and deleted meanwhile.
        """
        _, rows = await self._ready(workspace_id)
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            await asyncio.to_thread(self._upsert, workspace_id, batch, await self._embed(batch))
            if progress:
                progress(start + len(batch), len(rows))
        await asyncio.to_thread(self._vectors.prune, workspace_id, await self._stale(workspace_id))
        await self._refresh(workspace_id)
        return len(rows)

    async def _stale(self, workspace_id: str) -> list[str]:
        """The vectors that no row asks for; those of a document that is loading are its own affair."""
        # The vectors first: what is written from now on is not among them.
        owners = await asyncio.to_thread(self._vectors.owners, workspace_id)
        loading = select(documents.c.id).where(
            documents.c.workspace_id == workspace_id, documents.c.status == DocumentStatus.LOADING
        )
        async with self._database.read() as connection:
            untouched = set((await connection.scalars(loading)).all())
        _, rows = await self._ready(workspace_id)
        wanted = {vector_id(row.id, text) for row in rows for text in range(len(texts_of(row)))}
        return [name for name, owner in owners.items() if name not in wanted and owner not in untouched]

    async def refresh(self, workspace_id: str) -> None:
        """Bring this process's keyword index up to date; each process does so by itself at its next search."""
        await self._refresh(workspace_id)

    async def check(self) -> None:
        """Raise UnavailableError unless the vectors answer."""
        await asyncio.to_thread(self._vectors.check)

    async def close(self) -> None:
        """Wait for the keyword indexes that are being built, and let go of the vectors."""
        await asyncio.gather(*self._refreshing.values(), return_exceptions=True)
        await asyncio.to_thread(self._vectors.close)

    def _rank(self, workspace_id: str, index: KeywordIndex, query: str) -> list[Match]:
        """Every candidate with its fused score, best first. Blocking."""
        vector = self._embedder.embed([query])[0]
        nearest = self._vectors.query(workspace_id, vector, VECTORS)
        if index.sizes and not nearest:
            raise UnavailableError("The knowledge's vectors are missing: run `deskhand db reindex`.")
        found = matches(nearest, index.sizes)
        scores = index.scores(query)
        ranked = scored(found, scores)
        missed = contenders(ranked, scores)
        if missed:
            names = [vector_id(chunk_id, text) for chunk_id in missed for text in range(index.sizes[chunk_id])]
            late = matches(self._vectors.cosines(workspace_id, vector, names), index.sizes)
            ranked += scored(late, scores)
        return sorted(ranked, key=lambda match: (-match.score, match.chunk_id))

    async def _refresh(self, workspace_id: str) -> KeywordIndex:
        async with self._building[workspace_id]:
            version, rows = await self._ready(workspace_id)
            index = self._indexes.get(workspace_id)
            if index is None or index.version != version:
                index = await asyncio.to_thread(build_index, version, rows)
                self._indexes[workspace_id] = index
            return index

    async def _index(self, workspace_id: str) -> KeywordIndex:
        """The words known so far: a large index must not hold up the first question after a start."""
        if workspace_id not in self._indexes:
            self._refresh_later(workspace_id)
            await asyncio.wait([self._refreshing[workspace_id]], timeout=PATIENCE)
        return self._indexes.get(workspace_id, KeywordIndex(version=-1))

    def _refresh_later(self, workspace_id: str) -> None:
        """Another process changed the knowledge: go on with the old words until the new index is built."""
        if workspace_id not in self._refreshing:
            task = asyncio.create_task(self.refresh(workspace_id))
            self._refreshing[workspace_id] = task
            task.add_done_callback(lambda done: self._refreshed(workspace_id, done))

    def _refreshed(self, workspace_id: str, task: asyncio.Task[None]) -> None:
        del self._refreshing[workspace_id]
        if not task.cancelled() and (error := task.exception()):
            log.warning("the keyword index could not be built", workspace=workspace_id, error=error)

    async def _rows(self, workspace_id: str, ids: Collection[str]) -> tuple[int, dict[str, Chunk]]:
        """The knowledge's version and these chunks, as far as their documents are ready."""
        async with self._database.read() as connection:
            current = await connection.scalar(VERSION, {"workspace": workspace_id})
            if current is None:
                return 0, {}
            known = self._read.at(workspace_id, current, ids)
            if known is not None:
                return current, known
            rows = await connection.execute(FOUND, {"workspace": workspace_id, "chunk_ids": list(ids)})
            found = rows.mappings().all()
        # Of this moment: on PostgreSQL the second statement may see more than the first one did.
        version = found[0]["knowledge_version"] if found else 0
        read = {row["id"]: chunk_of(row) for row in found if row["id"]}
        self._read.keep(workspace_id, version, ids, read)
        return version, read

    async def _ready(self, workspace_id: str) -> tuple[int, list[Chunk]]:
        """The knowledge's version and every chunk of a ready document."""
        query = (
            select(*CHUNK_COLUMNS)
            .join(documents, chunks.c.document_id == documents.c.id)
            .where(chunks.c.workspace_id == workspace_id, documents.c.status == DocumentStatus.READY)
            .order_by(chunks.c.document_id, chunks.c.position)
        )
        async with self._database.read() as connection:
            # The version first: rows that come later are then read again, never missed.
            version = await connection.scalar(VERSION, {"workspace": workspace_id})
            rows = (await connection.execute(query)).mappings().all()
        return version or 0, [chunk_of(row) for row in rows]

    async def _embed(self, batch: Sequence[Chunk]) -> Vectors:
        texts = [text for chunk in batch for text in texts_of(chunk)]
        parts = []
        for start in range(0, len(texts), SLICE):
            # One at a time, however many documents are loading: questions are embedded beside it.
            async with self._bulk:
                parts.append(await asyncio.to_thread(self._embedder.embed, texts[start : start + SLICE]))
        return np.concatenate(parts)

    async def _write(self, workspace_id: str, batch: tuple[Sequence[Chunk], Vectors] | None) -> None:
        if batch is None:
            return
        await asyncio.to_thread(self._upsert, workspace_id, *batch)
        async with self._database.write() as connection:
            await connection.execute(insert(chunks), [chunk.model_dump(mode="json") for chunk in batch[0]])

    def _upsert(self, workspace_id: str, batch: Sequence[Chunk], vectors: Vectors) -> None:
        names = [vector_id(chunk.id, text) for chunk in batch for text in range(len(texts_of(chunk)))]
        owners = [chunk.document_id for chunk in batch for _ in texts_of(chunk)]
        self._vectors.upsert(workspace_id, names, vectors, owners)


def chunk_of(row: RowMapping | Mapping[str, object]) -> Chunk:
    """The record of a row of the table `chunks`."""
    return Chunk.model_validate({name: row[name] for name in Chunk.model_fields})


def _hit(match: Match, chunk: Chunk) -> Hit:
    texts = texts_of(chunk)
    return Hit(
        chunk=chunk,
        score=match.score,
        dense=match.dense,
        keyword=match.keyword,
        matched=texts[match.text] if match.text < len(texts) else chunk.title,
        agreement=match.agreement,
    )
