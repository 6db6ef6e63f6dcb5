"""Single texts are embedded once, together when many ask at once, and never mixed up."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bench.word_vectors import WordEmbedder
from storage.embeddings.batching_cache import TOGETHER, CachingEmbedder
from storage.embeddings.local import Embedder, Vectors
from storage.errors import UnavailableError


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


def test_a_text_is_embedded_once() -> None:
    inner = CountingEmbedder()
    embedder = CachingEmbedder(inner)
    first = embedder.embed(["reset my password"])
    assert first.shape == (1, embedder.dimension)
    assert np.array_equal(embedder.embed(["reset my password"]), first)
    assert inner.runs == [("reset my password",)]


def test_a_remembered_vector_cannot_be_changed_by_who_got_it() -> None:
    embedder = CachingEmbedder(CountingEmbedder())
    with pytest.raises(ValueError, match="read-only"):
        embedder.embed(["hello"])[0, 0] = 7


def test_only_the_last_texts_are_remembered() -> None:
    inner = CountingEmbedder()
    embedder = CachingEmbedder(inner, remembered=2)
    for text in ("one", "two", "one", "three", "one", "two"):
        embedder.embed([text])
    assert inner.runs == [("one",), ("two",), ("three",), ("two",)]


def test_texts_that_come_while_the_model_runs_share_its_next_run_and_get_their_own_vectors() -> None:
    inner = CountingEmbedder()
    inner.go.clear()
    embedder = CachingEmbedder(inner)
    texts = [f"question number {word}" for word in "abcdefghijkl"]
    with ThreadPoolExecutor(len(texts) + 1) as pool:
        first = pool.submit(embedder.embed, ["the first"])
        assert inner.started.wait(10)
        rest = [pool.submit(embedder.embed, [text]) for text in texts]
        while len(embedder._wanted) < len(texts):
            threading.Event().wait(0.01)
        inner.go.set()
        found = [future.result(10) for future in rest]
        first.result(10)
    assert all(np.allclose(row, WordEmbedder().embed([text])) for text, row in zip(texts, found, strict=True))
    assert sorted(text for run in inner.runs for text in run) == sorted(["the first", *texts])
    assert max(map(len, inner.runs)) == TOGETHER
    assert len(inner.runs) == 3


class FailingOnce(WordEmbedder):
    """Fails at the first try."""

    failed = False

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not self.failed:
            self.failed = True
            raise UnavailableError
        return super().embed(texts)


def test_a_failure_is_told_and_not_remembered() -> None:
    embedder = CachingEmbedder(FailingOnce())
    with pytest.raises(UnavailableError):
        embedder.embed(["hello"])
    assert embedder.embed(["hello"]).shape == (1, embedder.dimension)


def test_the_real_model_gives_the_same_vectors_together_as_alone(embedder: Embedder) -> None:
    texts = ["How do I reset my password?", "Where is my invoice?", "The app crashes when I export a very long page"]
    assert np.allclose(embedder.embed(texts), [embedder.embed([text])[0] for text in texts], atol=1e-5)


def test_a_text_that_was_prepared_is_not_embedded_again() -> None:
    inner = CountingEmbedder()
    embedder = CachingEmbedder(inner)
    embedder.prepare("reset my password")
    embedder.embed(["reset my password"])
    embedder.prepare("reset my password")
    assert inner.runs == [("reset my password",)]


def test_nothing_is_prepared_while_the_model_is_at_work() -> None:
    inner = CountingEmbedder()
    inner.go.clear()
    embedder = CachingEmbedder(inner)
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(embedder.embed, ["asked"])
        assert inner.started.wait(10)
        embedder.prepare("guessed")
        inner.go.set()
        asked.result()
    assert inner.runs == [("asked",)]


def test_who_waits_for_a_text_that_is_being_prepared_leaves_nothing_to_embed_again() -> None:
    inner = CountingEmbedder()
    inner.go.clear()
    embedder = CachingEmbedder(inner)
    with ThreadPoolExecutor() as threads:
        prepared = threads.submit(embedder.prepare, "one")
        assert inner.started.wait(10)
        asked = threads.submit(embedder.embed, ["one"])
        while not embedder._wanted:
            pass
        inner.go.set()
        prepared.result()
        asked.result()
    embedder.embed(["two"])
    assert inner.runs == [("one",), ("two",)]
