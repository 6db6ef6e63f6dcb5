"""What was loaded is found, by its own workspace only, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database.engine import open_database
from storage.embeddings.protocol import Embedder
from storage.errors import UnavailableError
from storage.knowledge.documents.parsed import ParsedChunk, ParsedFile
from storage.knowledge.search import Knowledge
from storage.knowledge.vectors import open_vectors
from storage.records import ChunkKind
from storage.store import Store
from tests.support.rows import database_of
from tests.support.settings import settings_for
from tests.support.store import open_test_store

ENTRIES = (
    ParsedChunk(ChunkKind.FAQ, "How do I reset my password?", "Click “Forgot password”.", ("I forgot my password",)),
    ParsedChunk(ChunkKind.FAQ, "How do I cancel my subscription?", "Open Billing and press Cancel.", ("Stop my plan",)),
    ParsedChunk(ChunkKind.FAQ, "Where do I find my invoices?", "They are under Billing.", tags=("billing",)),
    ParsedChunk(ChunkKind.PASSAGE, "Printing", "Error E1234 means that the driver is missing."),
)


@pytest.fixture
async def loaded(store: Store) -> AsyncIterator[Store]:
    await store.knowledge.catalogue.store("demo", "entries", ParsedFile(ENTRIES))
    yield store
    await store.knowledge.index.close()


async def titles(store: Store, query: str, **options: object) -> list[str]:
    hits = await store.knowledge.index.search("demo", query, **options)  # type: ignore[arg-type]
    return [hit.chunk.title for hit in hits]


async def test_a_question_finds_its_entry_by_meaning(loaded: Store) -> None:
    hits = await loaded.knowledge.index.search("demo", "I can't remember my passphrase")
    assert hits[0].chunk.title == "How do I reset my password?"
    assert hits[0].chunk.alternatives == ("I forgot my password",)
    assert hits[0].matched == "I forgot my password"
    assert 0.5 < hits[0].agreement < hits[0].dense < 1
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_the_phrasings_of_an_entry_are_one_hit(loaded: Store) -> None:
    found = await titles(loaded, "password")
    assert len(found) == len(set(found)) == len(ENTRIES)


async def test_a_code_is_found_by_its_letters(loaded: Store) -> None:
    hits = await loaded.knowledge.index.search("demo", "e1234")
    assert hits[0].chunk.title == "Printing"
    assert hits[0].keyword > 0


async def test_limit_and_exclusion_are_kept(loaded: Store) -> None:
    best, second = await loaded.knowledge.index.search("demo", "reset password", limit=2)
    again = await loaded.knowledge.index.search("demo", "reset password", limit=1, exclude={best.chunk.id})
    assert [hit.chunk.id for hit in again] == [second.chunk.id]


@pytest.mark.parametrize("query", ["", "   \n"])
async def test_an_empty_query_finds_nothing(loaded: Store, query: str) -> None:
    assert await titles(loaded, query) == []


@pytest.mark.parametrize("query", ["?!", "\N{GRINNING FACE}", "x" * 20_000, "a\x00b"])
async def test_strange_queries_are_answered(loaded: Store, query: str) -> None:
    assert len(await titles(loaded, query)) == len(ENTRIES)


async def test_another_workspace_finds_nothing_of_it(loaded: Store) -> None:
    await loaded.accounts.workspaces.create("other", "Other")
    await loaded.knowledge.catalogue.store(
        "other", "own", ParsedFile((ParsedChunk(ChunkKind.FAQ, "How do I reset my password?", "No."),))
    )
    hits = await loaded.knowledge.index.search("other", "reset password")
    assert [(hit.chunk.workspace_id, hit.chunk.text) for hit in hits] == [("other", "No.")]
    assert await loaded.knowledge.index.search("nobody", "reset password") == ()
    assert await asyncio.to_thread(loaded.knowledge.index._vectors.count, "other") == 2


async def test_a_workspace_without_knowledge_finds_nothing(store: Store) -> None:
    assert await store.knowledge.index.search("demo", "reset password") == ()


async def test_another_process_finds_what_was_loaded_and_refreshes_its_words(
    loaded: Store, embedder: Embedder, tmp_path: Path
) -> None:
    """The second `Knowledge` stands for another process over the same rows and vectors."""
    other = Knowledge(database_of(loaded), embedder, open_vectors(settings_for(tmp_path), embedder.model))
    assert (await other.search("demo", "zebra"))[0].keyword == 0
    await loaded.knowledge.catalogue.store(
        "demo", "more", ParsedFile((ParsedChunk(ChunkKind.FAQ, "Do you sell a zebra?", "We do."),))
    )
    assert (await other.search("demo", "zebra"))[0].chunk.text == "We do."
    async with asyncio.timeout(10):
        while (await other.search("demo", "zebra"))[0].keyword == 0:
            await asyncio.gather(*other._indexes._refreshing.values())
    await other.close()


async def test_reindexing_restores_lost_vectors_and_drops_orphans(loaded: Store) -> None:
    vectors = loaded.knowledge.index._vectors
    (best,) = await loaded.knowledge.index.search("demo", "reset password", limit=1)
    count = await asyncio.to_thread(vectors.count, "demo")
    vector = await asyncio.to_thread(loaded.knowledge.index.embedder.embed, ["an orphan"])
    await asyncio.to_thread(vectors.remove, "demo", best.chunk.document_id)
    await asyncio.to_thread(vectors.upsert, "demo", ["orphan:0"], vector, ["gone"])
    seen: list[tuple[int, int]] = []
    assert await loaded.knowledge.index.reindex("demo", lambda *done: seen.append(done)) == len(ENTRIES)
    assert seen == [(len(ENTRIES), len(ENTRIES))]
    assert await asyncio.to_thread(vectors.count, "demo") == count
    assert (await titles(loaded, "reset password"))[0] == "How do I reset my password?"


async def test_another_embedding_model_starts_without_vectors_until_reindexed(
    loaded: Store, embedder: Embedder, tmp_path: Path
) -> None:
    other = Knowledge(database_of(loaded), embedder, open_vectors(settings_for(tmp_path), "another model"))
    assert not await loaded.knowledge.index.chunks.lacks_vectors("demo")
    assert await other.chunks.lacks_vectors("demo")
    with pytest.raises(UnavailableError, match="deskhand db reindex"):
        await other.search("demo", "reset password")
    await other.reindex("demo")
    assert not await other.chunks.lacks_vectors("demo")
    assert (await other.search("demo", "reset password"))[0].chunk.title == "How do I reset my password?"
    await other.close()


async def test_knowledge_is_there_after_a_restart(tmp_path: Path, embedder: Embedder) -> None:
    settings = settings_for(tmp_path)
    async with open_test_store(settings, embedder) as store:
        await store.knowledge.catalogue.store("demo", "entries", ParsedFile(ENTRIES))
    database = open_database(settings.database_url)
    knowledge = Knowledge(database, embedder, open_vectors(settings, embedder.model))
    (best,) = await knowledge.search("demo", "forgot password", limit=1)
    assert best.chunk.title == "How do I reset my password?"
    assert best.keyword > 0
    await knowledge.close()
    await database.close()
