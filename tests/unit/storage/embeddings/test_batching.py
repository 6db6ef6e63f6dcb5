"""Single texts are embedded together when many ask at once, and never mixed up."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep

import numpy as np
import pytest

from storage.embeddings.batching import BATCH, BatchingEmbedder
from storage.embeddings.protocol import Embedder, Vectors
from storage.errors import UnavailableError
from tests.support.word_vectors import WordEmbedder
from tests.unit.storage.embeddings.counting_embedder import CountingEmbedder


def requested(embedder: BatchingEmbedder, count: int) -> None:
    """Wait until so many texts wait or run."""
    while len(embedder._requests) < count:
        sleep(0.001)


def test_texts_that_come_while_the_model_runs_share_its_next_run_and_get_their_own_vectors() -> None:
    inner = CountingEmbedder()
    inner.go.clear()
    embedder = BatchingEmbedder(inner)
    texts = [f"question number {word}" for word in "abcdefghijkl"]
    with ThreadPoolExecutor(len(texts) + 1) as pool:
        first = pool.submit(embedder.embed, ["the first"])
        assert inner.started.wait(10)
        rest = [pool.submit(embedder.embed, [text]) for text in texts]
        requested(embedder, len(texts) + 1)
        inner.go.set()
        found = [future.result(10) for future in rest]
        first.result(10)
    assert all(np.allclose(row, WordEmbedder().embed([text])) for text, row in zip(texts, found, strict=True))
    assert sorted(text for run in inner.runs for text in run) == sorted(["the first", *texts])
    assert max(map(len, inner.runs)) == BATCH
    assert len(inner.runs) == 3


def test_a_text_that_comes_alone_is_embedded_at_once() -> None:
    inner = CountingEmbedder()
    embedder = BatchingEmbedder(inner)
    for text in ("one", "two"):
        embedder.embed([text])
    assert inner.runs == [("one",), ("two",)]
    assert embedder._requests == {}


def test_who_asks_for_the_text_that_runs_gets_its_vector() -> None:
    inner = CountingEmbedder()
    inner.go.clear()
    embedder = BatchingEmbedder(inner)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(embedder.embed, ["one"])
        assert inner.started.wait(10)
        second = threads.submit(embedder.embed, ["one"])
        while not embedder._slots._cond._waiters:  # type: ignore[attr-defined]
            sleep(0.001)
        inner.go.set()
        assert np.array_equal(first.result(10), second.result(10))
    assert inner.runs == [("one",)]


def test_a_callers_own_batch_passes_by() -> None:
    inner = CountingEmbedder()
    embedder = BatchingEmbedder(inner)
    assert embedder.embed(["one", "two", "three"]).shape == (3, embedder.dimension)
    assert embedder.embed([]).shape == (0, embedder.dimension)
    assert inner.runs == [("one", "two", "three"), ()]


class Failing(CountingEmbedder):
    """Fails for texts that it cannot bear, also when they come with others."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = super().embed(texts)
        if "unbearable" in texts:
            raise UnavailableError
        return vectors


def test_a_text_that_fails_takes_no_other_along() -> None:
    inner = Failing()
    inner.go.clear()
    embedder = BatchingEmbedder(inner)
    texts = ["one", "unbearable", "two"]
    with ThreadPoolExecutor() as threads:
        threads.submit(embedder.embed, ["the first"])
        assert inner.started.wait(10)
        asked: dict[str, Future[Vectors]] = {text: threads.submit(embedder.embed, [text]) for text in texts}
        requested(embedder, len(texts) + 1)
        inner.go.set()
        # Whoever of the three led the run that failed is told so.
        failed = {text for text, future in asked.items() if future.exception(10)}
    assert "unbearable" in failed
    assert len(failed) <= 2
    assert embedder._requests == {}
    assert embedder.embed(["one"]).shape == (1, embedder.dimension)


def test_the_real_model_gives_the_same_vectors_together_as_alone(embedder: Embedder) -> None:
    texts = ["How do I reset my password?", "Where is my invoice?", "The app crashes when I export a very long page"]
    assert np.allclose(embedder.embed(texts), [embedder.embed([text])[0] for text in texts], atol=1e-5)


@pytest.mark.parametrize(("concurrency", "runs"), [(1, 1), (2, 2)])
def test_only_so_many_runs_are_made_at_the_same_time(concurrency: int, runs: int) -> None:
    inner = CountingEmbedder()
    inner.go.clear()
    embedder = BatchingEmbedder(inner, concurrency=concurrency)
    with ThreadPoolExecutor() as threads:
        for text in ("one", "two", "three"):
            threads.submit(embedder.embed, [text])
        requested(embedder, 3)
        while not embedder._slots._cond._waiters:  # type: ignore[attr-defined]
            sleep(0.001)
        assert len(inner.runs) == runs
        inner.go.set()
