"""A search never waits for a keyword index that another one can stand in for."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from storage.embeddings.protocol import Embedder
from storage.knowledge.documents.parsed import ParsedChunk, ParsedFile
from storage.knowledge.index_cache import KeywordIndexCache
from storage.records import ChunkKind
from storage.store import Store
from tests.support.rows import database_of
from tests.support.word_vectors import WordEmbedder


@pytest.fixture
def embedder() -> Embedder:
    return WordEmbedder()


@pytest.fixture
async def cache(store: Store) -> AsyncIterator[KeywordIndexCache]:
    """Of another process over the same rows."""
    cache = KeywordIndexCache(store.knowledge.index.chunks)
    yield cache
    await cache.close()


async def load(store: Store, title: str) -> None:
    entry = ParsedChunk(ChunkKind.FAQ, title, "Yes.")
    await store.knowledge.catalogue.store("demo", title, ParsedFile((entry,)))


async def test_the_first_question_waits_for_the_index(store: Store, cache: KeywordIndexCache) -> None:
    await load(store, "Do you sell a zebra?")
    index = await cache.get("demo")
    assert index.version == 1
    assert index.scores("zebra").highest > 0


async def test_the_old_index_is_given_until_the_new_one_is_built(store: Store, cache: KeywordIndexCache) -> None:
    await load(store, "Do you sell a zebra?")
    old = await cache.get("demo")
    await load(store, "Do you sell a giraffe?")
    cache.refresh_later("demo")
    assert await cache.get("demo") is old
    await cache.close()
    new = await cache.get("demo")
    assert (new.version, len(new.chunk_ids)) == (2, 2)


async def test_an_index_of_knowledge_that_has_not_changed_stays(store: Store, cache: KeywordIndexCache) -> None:
    await load(store, "Do you sell a zebra?")
    index = await cache.get("demo")
    await cache.refresh("demo")
    assert await cache.get("demo") is index


async def test_no_workspace_gets_another_one_s_index(store: Store, cache: KeywordIndexCache) -> None:
    await load(store, "Do you sell a zebra?")
    await store.accounts.workspaces.create("other", "Other")
    assert (await cache.get("demo")).chunk_ids
    assert (await cache.get("other")).chunk_ids == ()


async def test_an_index_is_built_once_at_a_time_and_again_when_asked_later(
    store: Store, cache: KeywordIndexCache
) -> None:
    await load(store, "Do you sell a zebra?")
    cache.refresh_later("demo")
    (building,) = cache._refreshing.values()
    cache.refresh_later("demo")
    assert list(cache._refreshing.values()) == [building]
    await cache.close()
    assert not cache._refreshing


async def test_without_its_rows_an_index_is_empty_of_no_version_and_the_log_says_why(
    store: Store, cache: KeywordIndexCache
) -> None:
    async with database_of(store).write() as connection:
        await connection.execute(text("ALTER TABLE chunks RENAME TO lost"))
    with capture_logs() as lines:
        assert (await cache.get("demo")).version == -1
    (line,) = lines
    assert (line["event"], line["workspace"]) == ("the keyword index could not be built", "demo")
