"""A message is embedded while it is being kept, as the guard will ask for it; a wrong guess costs no answer."""

import asyncio
from collections.abc import Sequence

import pytest

from graph.prefetch import EmbeddingPrefetch
from storage.embeddings.batching import BatchingEmbedder
from storage.embeddings.caching import CachingEmbedder
from storage.embeddings.protocol import Vectors
from storage.errors import UnavailableError
from tests.support.word_vectors import WordEmbedder


class Listed(WordEmbedder):
    """Word vectors, and which texts were embedded; broken if asked to be."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.broken = broken

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        if self.broken:
            raise UnavailableError("gone")
        return super().embed(texts)


async def guessed(prefetch: EmbeddingPrefetch, text: str) -> None:
    prefetch.prefetch(text)
    if prefetch._running is not None:
        await prefetch._running


@pytest.fixture
def inner() -> Listed:
    return Listed()


@pytest.fixture
def prefetch(inner: Listed) -> EmbeddingPrefetch:
    return EmbeddingPrefetch(CachingEmbedder(BatchingEmbedder(inner)), max_characters=100)


async def test_the_model_sees_what_the_guard_will_show_it(inner: Listed, prefetch: EmbeddingPrefetch) -> None:
    await guessed(prefetch, "Write to anna@example.com,\u200b please")
    assert inner.texts == ["Write to [EMAIL_1], please"]


@pytest.mark.parametrize("text", ["", "\u200b", "long " * 30])
async def test_what_the_guard_will_not_ask_about_is_left_alone(
    inner: Listed, prefetch: EmbeddingPrefetch, text: str
) -> None:
    await guessed(prefetch, text)
    assert inner.texts == []


async def test_a_model_that_is_away_is_no_failure_here(caplog: pytest.LogCaptureFixture) -> None:
    inner = Listed(broken=True)
    await guessed(EmbeddingPrefetch(CachingEmbedder(BatchingEmbedder(inner)), max_characters=100), "hello")
    await asyncio.sleep(0)
    assert inner.texts == ["hello"]
    assert not caplog.records
