"""Documents are kept, loaded once whatever happens, and forgotten entirely."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select, update

from storage.database.tables import chunks, documents
from storage.embeddings.protocol import Embedder, Vectors
from storage.errors import InvalidError, NotFoundError
from storage.knowledge.chunks import CHUNK_BATCH
from storage.knowledge.documents.catalogue import Catalogue
from storage.knowledge.search import Knowledge
from storage.records import DocumentStatus, Member
from storage.store import Store
from tests.support.rows import database_of

FAQ = (
    b"question,answer,alternatives\nHow do I reset my password?,Click the link.,I forgot it\nWhere?,There.,\n,empty,\n"
)
LARGE = "\n".join(
    ["question,answer", *(f"Question {number}?,Answer {number}." for number in range(CHUNK_BATCH + 50))]
).encode()


class InterruptedLoadError(Exception):
    """The process was killed here."""


class FailingEmbedder:
    """The real model until the nth call."""

    def __init__(self, embedder: Embedder, calls: int) -> None:
        self.model, self.dimension = embedder.model, embedder.dimension
        self._embedder, self._calls = embedder, calls

    def embed(self, texts: Sequence[str]) -> Vectors:
        self._calls -= 1
        if self._calls < 0:
            raise InterruptedLoadError
        return self._embedder.embed(texts)


async def kept(store: Store) -> tuple[int, int]:
    """Rows and vectors of the workspace."""
    async with database_of(store).read() as connection:
        rows = await connection.scalar(select(func.count()).select_from(chunks))
    return rows or 0, await asyncio.to_thread(store.knowledge.index._vectors.count, "demo")


async def test_a_file_is_kept_then_loaded_then_found(store: Store, admin: Member) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ, admin.id)
    assert document.status is DocumentStatus.LOADING
    ready = await store.knowledge.catalogue.load_document(document.id)
    assert (ready.status, ready.entries, ready.size) == (DocumentStatus.READY, 2, len(FAQ))
    assert [(refused.row, refused.reason) for refused in ready.refused] == [(4, "The question is empty.")]
    assert await store.knowledge.catalogue.list("demo") == (ready,)
    assert (await store.knowledge.index.search("demo", "forgot"))[0].chunk.text == "Click the link."


async def test_what_was_loaded_can_be_looked_through_in_order(store: Store) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", LARGE)
    await store.knowledge.catalogue.load_document(document.id)
    first = await store.knowledge.catalogue.chunks("demo", document.id, limit=3)
    then = await store.knowledge.catalogue.chunks("demo", document.id, limit=2, after=first[-1].position)
    assert [chunk.title for chunk in (*first, *then)] == [f"Question {number}?" for number in range(5)]


async def test_a_document_is_not_found_before_it_is_ready(store: Store, embedder: Embedder) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", LARGE)
    failing = FailingEmbedder(embedder, 1)
    cut_off = Catalogue(database_of(store), Knowledge(database_of(store), failing, store.knowledge.index._vectors))
    with pytest.raises(InterruptedLoadError):
        await cut_off.load_document(document.id)
    assert await store.knowledge.index.search("demo", "Question 5?") == ()


@pytest.mark.parametrize("calls", [0, 1])
async def test_a_load_that_was_cut_off_leaves_nothing_double(store: Store, embedder: Embedder, calls: int) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", LARGE)
    failing = FailingEmbedder(embedder, calls)
    cut_off = Catalogue(database_of(store), Knowledge(database_of(store), failing, store.knowledge.index._vectors))
    with pytest.raises(InterruptedLoadError):
        await cut_off.load_document(document.id)
    assert (await store.knowledge.catalogue.get("demo", document.id)).status is DocumentStatus.LOADING
    await store.knowledge.catalogue.load_document(document.id)
    assert await kept(store) == (CHUNK_BATCH + 50, 2 * (CHUNK_BATCH + 50))


async def test_a_load_cut_off_before_its_last_step_runs_again(store: Store) -> None:
    """Every row and vector is there, one of them from nowhere; the status is not."""
    document = await store.knowledge.catalogue.create("demo", "faq.csv", LARGE)
    await store.knowledge.catalogue.load_document(document.id)
    orphan = await asyncio.to_thread(store.knowledge.index.embedder.embed, ["x"])
    await asyncio.to_thread(store.knowledge.index._vectors.upsert, "demo", ["orphan:0"], orphan, [document.id])
    async with database_of(store).write() as connection:
        await connection.execute(update(documents).values(status=DocumentStatus.LOADING))
    assert (await store.knowledge.catalogue.load_document(document.id)).status is DocumentStatus.READY
    assert await kept(store) == (CHUNK_BATCH + 50, 2 * (CHUNK_BATCH + 50))


async def test_a_file_that_cannot_be_read_fails_with_the_reason(store: Store) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", b"a,b\n1,2\n")
    failed = await store.knowledge.catalogue.load_document(document.id)
    assert failed.status is DocumentStatus.FAILED
    assert "question and answer is missing" in (failed.error or "")
    assert await kept(store) == (0, 0)


async def test_a_file_of_bad_rows_only_fails_and_shows_them(store: Store) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", b"question,answer\n,2\n3,\n")
    failed = await store.knowledge.catalogue.load_document(document.id)
    assert (failed.status, failed.entries, len(failed.refused)) == (DocumentStatus.FAILED, 0, 2)


async def test_an_unknown_format_is_refused_at_once(store: Store) -> None:
    with pytest.raises(InvalidError, match="accepted"):
        await store.knowledge.catalogue.create("demo", "setup.exe", b"MZ")
    assert await store.knowledge.catalogue.list("demo") == ()


async def test_deleting_forgets_rows_and_vectors(store: Store) -> None:
    keep = await store.knowledge.catalogue.create("demo", "keep.csv", b"question,answer\nKept?,Yes.\n")
    drop = await store.knowledge.catalogue.create("demo", "drop.csv", FAQ)
    for document in (keep, drop):
        await store.knowledge.catalogue.load_document(document.id)
    await store.knowledge.catalogue.delete("demo", drop.id)
    assert [document.id for document in await store.knowledge.catalogue.list("demo")] == [keep.id]
    assert await kept(store) == (1, 2)
    assert [hit.chunk.title for hit in await store.knowledge.index.search("demo", "reset password")] == ["Kept?"]


async def test_deleting_while_loading_leaves_nothing(store: Store) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", LARGE)
    loading = asyncio.create_task(store.knowledge.catalogue.load_document(document.id))
    await asyncio.sleep(0.05)
    await store.knowledge.catalogue.delete("demo", document.id)
    await asyncio.wait([loading])
    assert isinstance(loading.exception(), NotFoundError) or loading.result().status is DocumentStatus.FAILED
    assert await kept(store) == (0, 0)


async def test_another_workspace_can_neither_see_nor_delete(store: Store) -> None:
    await store.accounts.workspaces.create("other", "Other")
    document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    await store.knowledge.catalogue.load_document(document.id)
    assert await store.knowledge.catalogue.list("other") == ()
    assert await store.knowledge.catalogue.chunks("other", document.id) == ()
    for call in (
        store.knowledge.catalogue.get("other", document.id),
        store.knowledge.catalogue.delete("other", document.id),
    ):
        with pytest.raises(NotFoundError):
            await call
    assert (await store.knowledge.catalogue.get("demo", document.id)).status is DocumentStatus.READY


async def test_progress_is_told(store: Store) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", LARGE)
    seen: list[tuple[int, int]] = []
    await store.knowledge.catalogue.load_document(document.id, lambda *done: seen.append(done))
    assert seen == [(CHUNK_BATCH, CHUNK_BATCH + 50), (CHUNK_BATCH + 50, CHUNK_BATCH + 50)]
