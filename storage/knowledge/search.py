"""Hybrid search: the nearest chunks by embeddings (Chroma) and the best by keywords (BM25), fused into one ranking."""

import asyncio
from collections.abc import Collection
from itertools import islice

from storage.database.engine import Database
from storage.embeddings.protocol import Embedder
from storage.errors import UnavailableError
from storage.knowledge.chunks import ChunkStore, LoadProgress
from storage.knowledge.index_cache import KeywordIndexCache
from storage.knowledge.keyword_index import KeywordIndex
from storage.knowledge.ranking import Candidate, dense_candidates, fuse, keyword_candidates, vector_id
from storage.knowledge.vectors import VectorStore
from storage.records import Chunk, Hit

NEAREST_VECTORS = 100
"""Nearest vectors asked of Chroma: the phrasings of one FAQ entry share them."""
SPARE_CANDIDATES = 5
"""Chunks read beyond the limit: some belong to documents that are not ready, or not any more."""


class Knowledge:
    """What a workspace knows: search over the chunks of its ready documents."""

    def __init__(self, database: Database, embedder: Embedder, vectors: VectorStore) -> None:
        self.chunks = ChunkStore(database, embedder, vectors)
        self._embedder = embedder
        self._vectors = vectors
        self._indexes = KeywordIndexCache(self.chunks)

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
        index = await self._indexes.get(workspace_id)
        ranked = await asyncio.to_thread(self._rank, workspace_id, index, query)
        allowed = [candidate for candidate in ranked if candidate.chunk_id not in exclude]
        first = [candidate.chunk_id for candidate in allowed[: limit + SPARE_CANDIDATES]]
        version, chunks = await self.chunks.get(workspace_id, first)
        if version != index.version:
            # Another process has changed the knowledge.
            self._indexes.refresh_later(workspace_id)
        hits = (_hit(candidate, chunks[candidate.chunk_id]) for candidate in allowed if candidate.chunk_id in chunks)
        return tuple(islice(hits, limit))

    async def reindex(self, workspace_id: str, progress: LoadProgress | None = None) -> int:
        """Make every vector of a workspace anew from its rows; gives the number of chunks."""
        count = await self.chunks.reindex(workspace_id, progress)
        await self.refresh(workspace_id)
        return count

    async def refresh(self, workspace_id: str) -> None:
        """Bring this process's keyword index up to date; each process does so by itself at its next search."""
        await self._indexes.refresh(workspace_id)

    async def check(self) -> None:
        """Raise UnavailableError unless the vectors answer."""
        await asyncio.to_thread(self._vectors.check)

    async def close(self) -> None:
        """Wait for the keyword indexes that are being built, and let go of the vectors."""
        await self._indexes.close()
        await asyncio.to_thread(self._vectors.close)

    def _rank(self, workspace_id: str, index: KeywordIndex, query: str) -> list[Candidate]:
        """Every candidate with its fused score, best first. Blocking."""
        vector = self._embedder.embed([query])[0]
        nearest = self._vectors.query(workspace_id, vector, NEAREST_VECTORS)
        if index.text_counts and not nearest:
            raise UnavailableError("The knowledge's vectors are missing: run `deskhand db reindex`.")
        keyword_scores = index.scores(query)
        ranked = fuse(dense_candidates(nearest, index.text_counts), keyword_scores)
        missed = keyword_candidates(ranked, keyword_scores)
        if missed:
            names = [vector_id(chunk_id, text) for chunk_id in missed for text in range(index.text_counts[chunk_id])]
            cosines = self._vectors.cosines(workspace_id, vector, names)
            ranked += fuse(dense_candidates(cosines, index.text_counts), keyword_scores)
        return sorted(ranked, key=lambda candidate: (-candidate.score, candidate.chunk_id))


def _hit(candidate: Candidate, chunk: Chunk) -> Hit:
    texts = chunk.search_texts()
    return Hit(
        chunk=chunk,
        score=candidate.score,
        dense=candidate.dense,
        keyword=candidate.keyword,
        matched=texts[candidate.best_text] if candidate.best_text < len(texts) else chunk.title,
        agreement=candidate.agreement,
    )
