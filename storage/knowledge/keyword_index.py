"""Keyword index: BM25 over a workspace's knowledge, for what embeddings miss: names, numbers, error codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import bm25s  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from storage.knowledge.terms import terms
from storage.records import Chunk, ChunkKind


@dataclass(frozen=True, slots=True)
class KeywordScores:
    """BM25 of one query and every chunk's best text."""

    index: "KeywordIndex"
    values: NDArray[np.float32]
    """0 and up, in the index's order."""
    highest: float

    def score(self, chunk_id: str) -> float:
        """The chunk's BM25; 0 if the index does not know it."""
        position = self.index.positions.get(chunk_id)
        return 0.0 if position is None else float(self.values[position])

    def top(self, limit: int) -> list[str]:
        """The chunks with the highest scores above 0, in no order."""
        few = len(self.values) <= limit
        top = np.arange(len(self.values)) if few else np.argpartition(self.values, -limit)[-limit:]
        return [self.index.chunk_ids[i] for i in top if self.values[i] > 0]


@dataclass(frozen=True, slots=True)
class KeywordIndex:
    """BM25 over the texts of one workspace at one version of its knowledge."""

    version: int
    chunk_ids: tuple[str, ...] = ()
    positions: Mapping[str, int] = field(default_factory=dict)
    """Place in `chunk_ids` by chunk id."""
    text_counts: Mapping[str, int] = field(default_factory=dict)
    """Number of texts by chunk id."""
    passages: frozenset[str] = frozenset()
    """The chunks that are passages, not FAQ entries."""
    text_offsets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Where each chunk's texts begin."""
    bm25: bm25s.BM25 | None = None
    """None: there are no words."""

    def scores(self, query: str) -> KeywordScores:
        """BM25 of the query and every chunk."""
        known = [term for term in dict.fromkeys(terms(query)) if self.bm25 and term in self.bm25.vocab_dict]
        if not known or self.bm25 is None:
            return KeywordScores(self, np.zeros(len(self.chunk_ids), np.float32), 0.0)
        values = np.maximum.reduceat(_text_scores(self.bm25, known), self.text_offsets)
        return KeywordScores(self, values, float(values.max()))


def _text_scores(bm25: bm25s.BM25, known: Sequence[str]) -> NDArray[np.float32]:
    """BM25 of every text: bm25s' own sum, which is ten times slower because it allows for repeated rows."""
    data, rows, starts = (bm25.scores[part] for part in ("data", "indices", "indptr"))
    values = np.zeros(bm25.scores["num_docs"], np.float32)
    for term in bm25.get_tokens_ids(known):
        postings = slice(starts[term], starts[term + 1])
        values[rows[postings]] += data[postings]
    return values


def build_index(version: int, chunks: Sequence[Chunk]) -> KeywordIndex:
    """Index every text of every chunk. Blocking: seconds for 100,000 chunks."""
    texts = [chunk.search_texts() for chunk in chunks]
    ids = tuple(chunk.id for chunk in chunks)
    return KeywordIndex(
        version,
        chunk_ids=ids,
        positions={chunk_id: position for position, chunk_id in enumerate(ids)},
        text_counts={chunk_id: len(own) for chunk_id, own in zip(ids, texts, strict=True)},
        passages=frozenset(chunk.id for chunk in chunks if chunk.kind is ChunkKind.PASSAGE),
        text_offsets=np.cumsum([0, *map(len, texts)], dtype=np.int64)[:-1],
        bm25=_bm25([terms(text) for own in texts for text in own]),
    )


def _bm25(tokens: list[list[str]]) -> bm25s.BM25 | None:
    vocabulary: dict[str, int] = {}
    ids = [[vocabulary.setdefault(token, len(vocabulary)) for token in text] for text in tokens]
    if not vocabulary:
        return None
    bm25 = bm25s.BM25()
    bm25.index((ids, vocabulary), show_progress=False)
    return bm25
