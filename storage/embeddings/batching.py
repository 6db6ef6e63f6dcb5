"""Dynamic batching: single texts that are asked for while the model runs share its next run."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from storage.embeddings.protocol import Embedder, Vectors

BATCH = 8
"""Texts embedded at once: each takes a third less processor time than alone, and larger batches gain no more."""


@dataclass(slots=True, eq=False)
class _Request:
    """A text that somebody waits for."""

    text: str
    is_running: bool = False
    vectors: Vectors | None = None
    """One row, as soon as a run has made it."""


class BatchingEmbedder:
    """Who asks while the model is free runs it at once; who asks while it works waits, and the next run takes all.

    So a text that comes alone is never held up to wait for others. Batches of a caller's own, which come from
    documents, pass by. Thread-safe.
    """

    def __init__(self, inner: Embedder, *, concurrency: int = 1) -> None:
        """`concurrency`: runs at the same time; one for a model in this process, more for a remote one."""
        self._inner = inner
        self._requests: dict[str, _Request] = {}
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(concurrency)

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
        request = self._request(texts[0])
        with self._slots:
            # The run that this one waited for may have taken it along.
            return self._run(request) if request.vectors is None else request.vectors

    def embed_if_idle(self, text: str) -> Vectors | None:
        """The text's row; None while the model is at work. Raises UnavailableError."""
        if not self._slots.acquire(blocking=False):
            return None
        try:
            return self._run(self._request(text))
        finally:
            self._slots.release()

    def _request(self, text: str) -> _Request:
        """Who asks for the same text waits for the same vector."""
        with self._lock:
            return self._requests.setdefault(text, _Request(text))

    def _run(self, request: _Request) -> Vectors:
        """Embed this text and others that wait; if that fails, each of these is tried again by itself."""
        batch = self._take_batch(request)
        try:
            rows = self._inner.embed([taken.text for taken in batch])
            rows.flags.writeable = False
            for position, taken in enumerate(batch):
                taken.vectors = rows[position : position + 1]
        finally:
            with self._lock:
                for taken in batch:
                    self._requests.pop(taken.text, None)
        return rows[:1]

    def _take_batch(self, request: _Request) -> list[_Request]:
        with self._lock:
            waiting = [other for other in self._requests.values() if not other.is_running and other is not request]
            batch = [request, *waiting[: BATCH - 1]]
            for taken in batch:
                taken.is_running = True
        return batch
