"""What a workspace knows: chunks found by meaning (Chroma) and by words (BM25), fused."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from storage.database import Database
from storage.embedder import Embedder
from storage.keyword_index import KeywordIndex
from storage.records import Chunk, Hit
from storage.vectors import VectorStore

Progress = Callable[[int, int], None]
"""Called with the number of chunks done and in all."""

VECTORS = 100
"""Nearest vectors asked of Chroma: the phrasings of one FAQ entry share them."""
KEYWORDS = 10
"""Best chunks by words alone that may join them."""
KEYWORD_WEIGHT = 0.2
BATCH = 64
"""Chunks embedded at once while a document is loaded."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The nearest vectors of a query, and the BM25 scores of its words."""

    cosines: Mapping[str, float]
    """By vector id."""
    keywords: Mapping[str, float]
    """By chunk id."""


class Knowledge:
    """Search over the chunks of ready documents, and the vectors that make it possible."""

    def __init__(self, database: Database, embedder: Embedder, vectors: VectorStore) -> None:
        self._database = database
        self._embedder = embedder
        self._vectors = vectors
        self._indexes: dict[str, KeywordIndex] = {}
        self._building: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def embedder(self) -> Embedder:
        """What turns texts into vectors here."""
        return self._embedder

    async def search(
        self, workspace_id: str, query: str, limit: int = 5, exclude: Collection[str] = frozenset()
    ) -> tuple[Hit, ...]:
        """The best chunks for a query, best first, without the chunk ids in `exclude`. Raises UnavailableError."""
        raise NotImplementedError

    async def neighbours(
        self, workspace_id: str, chunk_id: str, limit: int = 3, exclude: Collection[str] = frozenset()
    ) -> tuple[Chunk, ...]:
        """The FAQ entries nearest to a chunk: what the customer may ask next."""
        raise NotImplementedError

    async def add(
        self, workspace_id: str, document_id: str, added: Sequence[Chunk], progress: Progress | None = None
    ) -> None:
        """Embed chunks and keep their vectors; the rows are the catalogue's. Again with the same chunks is harmless."""
        raise NotImplementedError

    async def remove(self, workspace_id: str, document_id: str) -> None:
        """Delete the vectors of a document."""
        await asyncio.to_thread(self._vectors.remove, workspace_id, document_id)

    async def reindex(self, workspace_id: str, progress: Progress | None = None) -> int:
        """Make every vector of a workspace anew from its rows; gives the number of chunks."""
        raise NotImplementedError
