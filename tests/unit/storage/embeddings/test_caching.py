"""Single texts are embedded once while they are remembered."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import numpy as np
import pytest

from storage.embeddings.batching import BatchingEmbedder
from storage.embeddings.caching import CachingEmbedder
from storage.embeddings.protocol import Embedder, Vectors
from storage.errors import UnavailableError
from tests.support.word_vectors import WordEmbedder
from tests.unit.storage.embeddings.counting_embedder import CountingEmbedder


def caching(inner: Embedder, capacity: int = 10) -> CachingEmbedder:
    return CachingEmbedder(BatchingEmbedder(inner), capacity=capacity)


def test_a_text_is_embedded_once() -> None:
    inner = CountingEmbedder()
    embedder = caching(inner)
    first = embedder.embed(["reset my password"])
    assert first.shape == (1, embedder.dimension)
    assert np.array_equal(embedder.embed(["reset my password"]), first)
    assert inner.runs == [("reset my password",)]


def test_a_remembered_vector_cannot_be_changed_by_who_got_it() -> None:
    embedder = caching(CountingEmbedder())
    with pytest.raises(ValueError, match="read-only"):
        embedder.embed(["hello"])[0, 0] = 7


def test_only_the_last_texts_are_remembered() -> None:
    inner = CountingEmbedder()
    embedder = caching(inner, capacity=2)
    for text in ("one", "two", "one", "three", "one", "two"):
        embedder.embed([text])
    assert inner.runs == [("one",), ("two",), ("three",), ("two",)]


def test_the_texts_of_documents_are_not_remembered() -> None:
    inner = CountingEmbedder()
    embedder = caching(inner)
    embedder.embed(["one", "two"])
    embedder.embed(["one"])
    assert inner.runs == [("one", "two"), ("one",)]


class FailingOnce(WordEmbedder):
    """Fails at the first try."""

    failed = False

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not self.failed:
            self.failed = True
            raise UnavailableError
        return super().embed(texts)


def test_a_failure_is_told_and_not_remembered() -> None:
    embedder = caching(FailingOnce())
    with pytest.raises(UnavailableError):
        embedder.embed(["hello"])
    assert embedder.embed(["hello"]).shape == (1, embedder.dimension)


def test_a_text_that_was_prefetched_is_not_embedded_again() -> None:
    inner = CountingEmbedder()
    embedder = caching(inner)
    embedder.prefetch("reset my password")
    embedder.embed(["reset my password"])
    embedder.prefetch("reset my password")
    assert inner.runs == [("reset my password",)]


def test_nothing_is_prefetched_while_the_model_is_at_work() -> None:
    inner = CountingEmbedder()
    inner.go.clear()
    embedder = caching(inner)
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(embedder.embed, ["asked"])
        assert inner.started.wait(10)
        embedder.prefetch("guessed")
        inner.go.set()
        asked.result()
    assert inner.runs == [("asked",)]


def test_who_waits_for_a_text_that_is_being_prefetched_leaves_nothing_to_embed_again() -> None:
    inner = CountingEmbedder()
    inner.go.clear()
    batching = BatchingEmbedder(inner)
    embedder = CachingEmbedder(batching)
    with ThreadPoolExecutor() as threads:
        prefetched = threads.submit(embedder.prefetch, "one")
        assert inner.started.wait(10)
        asked = threads.submit(embedder.embed, ["one"])
        while not batching._slots._cond._waiters:  # type: ignore[attr-defined]
            sleep(0.001)
        inner.go.set()
        prefetched.result()
        asked.result()
    embedder.embed(["two"])
    assert inner.runs == [("one",), ("two",)]
