"""The vectors of the last single texts: guard, triage and search of one turn ask about the same words."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from storage.embedder import Embedder, Vectors

REMEMBERED = 512
"""Vectors, 1.5 kB each."""


class RememberingEmbedder:
    """An embedder that remembers single texts; batches, which come from documents, pass by."""

    def __init__(self, inner: Embedder, remembered: int = REMEMBERED) -> None:
        self._inner = inner
        self._limit = remembered
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def model(self) -> str:
        """The model's name."""
        return self._inner.model

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._inner.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One L2-normalised row per text: (n, dimension), float32; one row is read-only. Raises UnavailableError."""
        if len(texts) != 1:
            return self._inner.embed(texts)
        text = texts[0]
        with self._lock:
            if text in self._vectors:
                self._vectors.move_to_end(text)
                return self._vectors[text]
        vectors = self._inner.embed(texts)
        vectors.flags.writeable = False
        with self._lock:
            self._vectors[text] = vectors
            if len(self._vectors) > self._limit:
                self._vectors.popitem(last=False)
        return vectors
