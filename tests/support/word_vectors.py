"""Vectors that cost little, where the embedding model is not what is measured."""

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from storage.embeddings.protocol import Vectors
from storage.knowledge.terms import words

DIMENSION = 384


class WordEmbedder:
    """The sum of a random vector per word: the same words give the same vector, similar texts are near each other."""

    dimension = DIMENSION

    def __init__(self, model: str = "words") -> None:
        self.model = model

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 per text: (n, 384), float32."""
        if not texts:
            return np.empty((0, DIMENSION), np.float32)
        rows = np.stack([np.sum([_vector(word) for word in words(text) or [""]], axis=0) for text in texts])
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


@lru_cache(maxsize=50_000)
def _vector(word: str) -> NDArray[np.float32]:
    return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(DIMENSION, np.float32)
