"""The vectors of single texts: remembered for a while, and made together when many ask at once."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from storage.embeddings.local import Embedder, Vectors

REMEMBERED = 512
"""Vectors, 1.5 kB each: guard, triage and search of one turn ask about the same words."""
TOGETHER = 8
"""Texts embedded at once: each takes a third less processor time than alone, and larger batches gain no more."""


class CachingEmbedder:
    """An embedder for a desk: single texts that are asked for at the same time share one run of the model.

    Batches, which come from documents, pass by.
    """

    def __init__(self, inner: Embedder, *, at_once: int = 1, remembered: int = REMEMBERED) -> None:
        """`at_once`: runs beside each other; one for a model in this process, more for a remote one."""
        self._inner = inner
        self._limit = remembered
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._wanted: dict[str, None] = {}
        self._lock = threading.Lock()
        self._running = threading.Semaphore(at_once)

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
        if (known := self._known(text)) is not None:
            return known
        with self._lock:
            self._wanted[text] = None
        with self._running:
            # Who ran while this one waited may have taken it along.
            known = self._known(text)
            if known is None:
                return self._run(text)
        with self._lock:
            self._wanted.pop(text, None)
        return known

    def prepare(self, text: str) -> None:
        """Embed a text that will be asked for soon; not while the model is at work, since then no time is won.

        Blocking. Raises UnavailableError, which may be ignored: who asks for the text gets it too.
        """
        if self._known(text) is None and self._running.acquire(blocking=False):
            try:
                self._run(text)
            finally:
                self._running.release()

    def _known(self, text: str) -> Vectors | None:
        with self._lock:
            if text in self._vectors:
                self._vectors.move_to_end(text)
            return self._vectors.get(text)

    def _run(self, text: str) -> Vectors:
        """Embed this text and what else waits."""
        with self._lock:
            self._wanted.pop(text, None)
            others = list(self._wanted)[: TOGETHER - 1]
            for other in others:
                del self._wanted[other]
        rows = self._inner.embed([text, *others])
        rows.flags.writeable = False
        with self._lock:
            for position, embedded in enumerate((text, *others)):
                self._vectors[embedded] = rows[position : position + 1]
            while len(self._vectors) > self._limit:
                self._vectors.popitem(last=False)
        return rows[:1]
