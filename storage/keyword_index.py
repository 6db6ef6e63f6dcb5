"""The words of a workspace's knowledge, for what embeddings miss: names, numbers, error codes (BM25)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import bm25s  # type: ignore[import-untyped]
import numpy as np
import Stemmer  # type: ignore[import-not-found]
from numpy.typing import NDArray

from storage.phrasings import texts_of
from storage.records import Chunk

WORD = re.compile(r"\w+(?:'\w+)*")
STOPWORDS = frozenset(bm25s.stopwords.STOPWORDS_EN_PLUS)


def words(text: str) -> list[str]:
    """The lower-case words of a text, in order."""
    return WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def terms(text: str) -> list[str]:
    """The stemmed words that carry a text's meaning, in order; what BM25 counts."""
    # A stemmer is not thread-safe, and making one is cheap.
    stems: list[str] = Stemmer.Stemmer("english").stemWords([word for word in words(text) if word not in STOPWORDS])
    return stems


@dataclass(frozen=True, slots=True)
class KeywordIndex:
    """BM25 over the texts of one workspace at one version of its knowledge."""

    version: int
    chunk_ids: tuple[str, ...]
    starts: NDArray[np.int64]
    """Where each chunk's texts begin."""
    bm25: bm25s.BM25 | None
    """None: there are no texts."""

    def scores(self, query: str) -> NDArray[np.float32]:
        """BM25 of the query and each chunk's best text, 0 and up; as long as `chunk_ids`."""
        asked = list(set(terms(query)))
        if self.bm25 is None or not asked:
            return np.zeros(len(self.chunk_ids), np.float32)
        scores: NDArray[np.float32] = np.maximum.reduceat(self.bm25.get_scores(asked), self.starts)
        return scores


def build_index(version: int, chunks: Sequence[Chunk]) -> KeywordIndex:
    """Index every text of every chunk."""
    texts = [texts_of(chunk) for chunk in chunks]
    starts = np.cumsum([0, *(len(of_chunk) for of_chunk in texts)][:-1], dtype=np.int64)[: len(chunks)]
    tokens = [terms(text) for of_chunk in texts for text in of_chunk]
    bm25 = None
    if any(tokens):
        bm25 = bm25s.BM25()
        bm25.index(tokens, show_progress=False)
    return KeywordIndex(version, tuple(chunk.id for chunk in chunks), starts, bm25)
