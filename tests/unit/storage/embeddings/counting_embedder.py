"""An embedder that says what it was asked for, and waits if told to."""

import threading
from collections.abc import Sequence

from storage.embeddings.protocol import Vectors
from tests.support.word_vectors import WordEmbedder


class CountingEmbedder(WordEmbedder):
    """Word vectors, and which texts were embedded together; the first run waits for `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[tuple[str, ...]] = []
        self.started = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.runs.append(tuple(texts))
        self.started.set()
        assert self.go.wait(10)
        return super().embed(texts)
