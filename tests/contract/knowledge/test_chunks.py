"""Rows and vectors of chunks are written together, in batches, and forgotten together."""

import asyncio

import pytest
from sqlalchemy import update

from storage.database.tables import documents
from storage.knowledge.chunks import ChunkStore
from storage.knowledge.documents.parsed import ParsedChunk, ParsedFile
from storage.knowledge.vectors import VectorStore
from storage.records import Chunk, ChunkKind, Document, DocumentStatus
from storage.store import Store
from tests.support.rows import database_of
from tests.unit.storage.embeddings.counting_embedder import CountingEmbedder


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def vectors(store: Store) -> VectorStore:
    return store.knowledge.index._vectors


@pytest.fixture
def chunks(store: Store, embedder: CountingEmbedder, vectors: VectorStore) -> ChunkStore:
    """Another process's view of the same rows and vectors: it has read nothing yet."""
    return ChunkStore(database_of(store), embedder, vectors)


async def loaded(store: Store, name: str, *titles: str, workspace_id: str = "demo") -> Document:
    """A document of passages; each has one text and one vector."""
    passages = tuple(ParsedChunk(ChunkKind.PASSAGE, title, "Text.") for title in titles)
    return await store.knowledge.catalogue.store(workspace_id, name, ParsedFile(passages))


async def set_status(store: Store, document: Document, status: DocumentStatus) -> None:
    async with database_of(store).write() as connection:
        await connection.execute(update(documents).where(documents.c.id == document.id).values(status=status))


def more(document: Document, *titles: str) -> list[Chunk]:
    """New chunks of a document."""
    return [
        Chunk(
            id=f"{title} {document.id}"[:32],
            workspace_id=document.workspace_id,
            document_id=document.id,
            kind=ChunkKind.PASSAGE,
            title=title,
            text="Text.",
            position=position,
        )
        for position, title in enumerate(titles, start=10)
    ]


async def test_only_chunks_of_ready_documents_of_the_workspace_are_given(store: Store, chunks: ChunkStore) -> None:
    await store.accounts.workspaces.create("other", "Other")
    ready, away = await loaded(store, "ready", "A"), await loaded(store, "away", "B")
    foreign = await loaded(store, "foreign", "C", workspace_id="other")
    await set_status(store, away, DocumentStatus.LOADING)
    ids = [more_id for one in (ready, away, foreign) for more_id in await ids_of(store, one)]
    version, found = await chunks.get("demo", ids)
    assert (version, [chunk.title for chunk in found.values()]) == (2, ["A"])
    assert (await chunks.ready("demo"))[0] == 2
    assert [chunk.title for chunk in (await chunks.ready("demo"))[1]] == ["A"]


async def ids_of(store: Store, document: Document) -> list[str]:
    return [chunk.id for chunk in await store.knowledge.catalogue.chunks(document.workspace_id, document.id)]


async def test_nobody_s_knowledge_has_no_version_and_no_chunks(store: Store, chunks: ChunkStore) -> None:
    ids = await ids_of(store, await loaded(store, "entries", "A"))
    assert await chunks.get("nobody", ids) == (0, {})
    assert await chunks.ready("nobody") == (0, [])
    assert await chunks.get("demo", ["gone"]) == (1, {})


async def test_what_was_read_is_read_again_after_a_change(store: Store, chunks: ChunkStore) -> None:
    document = await loaded(store, "entries", "A")
    ids = await ids_of(store, document)
    assert (await chunks.get("demo", ids))[1].keys() == set(ids)
    await store.knowledge.catalogue.delete("demo", document.id)
    assert await chunks.get("demo", ids) == (2, {})


async def test_a_document_s_chunks_come_in_their_order(store: Store, chunks: ChunkStore) -> None:
    titles = [f"Part {number}" for number in range(12)]
    await loaded(store, "entries", *titles)
    assert [chunk.title for chunk in (await chunks.ready("demo"))[1]] == titles


async def test_many_chunks_are_kept_in_batches_and_the_progress_is_told(
    store: Store, chunks: ChunkStore, vectors: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.knowledge.chunks.CHUNK_BATCH", 2)
    document, told = await loaded(store, "entries", "A"), list[tuple[int, int]]()
    await chunks.add("demo", more(document, "B", "C", "D"), lambda *done: told.append(done))
    assert told == [(2, 3), (3, 3)]
    assert [chunk.title for chunk in (await chunks.ready("demo"))[1]] == ["A", "B", "C", "D"]
    assert await asyncio.to_thread(vectors.count, "demo") == 4


async def test_many_texts_are_embedded_in_batches(
    store: Store, chunks: ChunkStore, embedder: CountingEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.knowledge.chunks.EMBEDDING_BATCH", 2)
    document = await loaded(store, "entries", "A")
    embedder.runs.clear()
    await chunks.add("demo", more(document, "B", "C", "D"))
    assert embedder.runs == [("B\nText.", "C\nText."), ("D\nText.",)]


async def test_one_document_is_forgotten_and_no_other(store: Store, chunks: ChunkStore, vectors: VectorStore) -> None:
    gone, kept = await loaded(store, "gone", "A", "B"), await loaded(store, "kept", "C")
    await chunks.remove("other", kept.id)
    await chunks.remove("demo", gone.id)
    assert [chunk.title for chunk in (await chunks.ready("demo"))[1]] == ["C"]
    assert set((await asyncio.to_thread(vectors.owners, "demo")).values()) == {kept.id}


async def test_a_single_missing_vector_is_noticed(store: Store, chunks: ChunkStore, vectors: VectorStore) -> None:
    document = await loaded(store, "entries", "A", "B")
    assert not await chunks.lacks_vectors("demo")
    (first, _) = await ids_of(store, document)
    await asyncio.to_thread(vectors.prune, "demo", [f"{first}:0"])
    assert await chunks.lacks_vectors("demo")


async def test_reindexing_leaves_a_document_that_is_loading_alone_and_drops_what_failed(
    store: Store, chunks: ChunkStore, vectors: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.knowledge.chunks.CHUNK_BATCH", 2)
    ready = await loaded(store, "ready", "A", "B", "C")
    loading, failed = await loaded(store, "loading", "D"), await loaded(store, "failed", "E")
    await set_status(store, loading, DocumentStatus.LOADING)
    await set_status(store, failed, DocumentStatus.FAILED)
    told = list[tuple[int, int]]()
    assert await chunks.reindex("demo", lambda *done: told.append(done)) == 3
    assert told == [(2, 3), (3, 3)]
    assert set((await asyncio.to_thread(vectors.owners, "demo")).values()) == {ready.id, loading.id}
