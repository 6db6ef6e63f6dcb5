"""LRU cache of single texts' vectors: guard, triage and search of one turn ask about the same words."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from storage.embeddings.batching import BatchingEmbedder
from storage.embeddings.protocol import Vectors

CAPACITY = 512
"""Vectors, 1.5 kB each."""


class CachingEmbedder:
    """Each single text is embedded once while it is remembered. Batches, which come from documents, pass by."""

    def __init__(self, inner: BatchingEmbedder, *, capacity: int = CAPACITY) -> None:
        self._inner = inner
        self._capacity = capacity
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
        vectors = self._cached(texts[0])
        if vectors is None:
            vectors = self._inner.embed(texts)
            self._keep(texts[0], vectors)
        return vectors

    def prefetch(self, text: str) -> None:
        """Embed a text that will be asked for soon; not while the model is at work, since then no time is won.

        Blocking. Raises UnavailableError, which may be ignored: who asks for the text gets it too.
        """
        if self._cached(text) is None and (vectors := self._inner.embed_if_idle(text)) is not None:
            self._keep(text, vectors)

    def _cached(self, text: str) -> Vectors | None:
        with self._lock:
            if text in self._vectors:
                self._vectors.move_to_end(text)
            return self._vectors.get(text)

    def _keep(self, text: str, vectors: Vectors) -> None:
        with self._lock:
            self._vectors[text] = vectors
            while len(self._vectors) > self._capacity:
                self._vectors.popitem(last=False)
