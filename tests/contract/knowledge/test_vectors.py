"""One contract over both columns of the vectors: the embedded Chroma and a Chroma server."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from storage.embeddings.protocol import Embedder
from storage.knowledge.documents.parsed import ParsedChunk, ParsedFile
from storage.knowledge.vectors import VectorStore, open_vectors
from storage.records import ChunkKind, new_id
from storage.settings import Settings
from tests.support.settings import settings_for
from tests.support.store import open_test_store

X, Y, Z = np.eye(3, dtype=np.float32)
BETWEEN = np.array([0.6, 0.8, 0.0], np.float32)


@pytest.fixture(params=["embedded", "server"])
def column(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Both columns of DESIGN section 5."""
    if request.param == "embedded":
        return settings_for(tmp_path)
    url: str = request.getfixturevalue("chroma_url")
    return settings_for(tmp_path, chroma={"url": url})


@pytest.fixture
def vectors(column: Settings) -> Iterator[VectorStore]:
    with closing(open_vectors(column, "a model")) as store:
        yield store


@pytest.fixture
def workspace() -> str:
    """A workspace of the test's own: the server is shared."""
    return f"workspace {new_id()}"


def write(vectors: VectorStore, workspace: str) -> None:
    vectors.upsert(workspace, ["x:0", "y:0", "y:1"], np.stack([X, Y, BETWEEN]), ["first", "second", "second"])


def test_the_nearest_come_first_with_their_cosines(vectors: VectorStore, workspace: str) -> None:
    write(vectors, workspace)
    found = vectors.query(workspace, X, 10)
    assert list(found) == ["x:0", "y:1", "y:0"]
    assert list(found.values()) == pytest.approx([1.0, 0.6, 0.0], abs=1e-5)
    assert list(vectors.query(workspace, X, 1)) == ["x:0"]


def test_named_vectors_have_their_cosines_and_unknown_names_are_left_out(vectors: VectorStore, workspace: str) -> None:
    write(vectors, workspace)
    assert vectors.cosines(workspace, X, ["y:1", "z:0", "y:0"]) == pytest.approx({"y:1": 0.6, "y:0": 0.0}, abs=1e-6)
    assert vectors.cosines(workspace, X, ["z:0"]) == {}


def test_the_same_id_again_replaces(vectors: VectorStore, workspace: str) -> None:
    write(vectors, workspace)
    vectors.upsert(workspace, ["x:0"], np.stack([Z]), ["third"])
    assert vectors.count(workspace) == 3
    assert vectors.cosines(workspace, Z, ["x:0"]) == pytest.approx({"x:0": 1.0})
    assert vectors.owners(workspace) == {"x:0": "third", "y:0": "second", "y:1": "second"}


def test_a_removed_document_takes_its_vectors_along_and_no_others(vectors: VectorStore, workspace: str) -> None:
    write(vectors, workspace)
    vectors.remove(workspace, "second")
    vectors.remove(workspace, "never there")
    assert list(vectors.query(workspace, Y, 10)) == ["x:0"]


def test_pruned_vectors_are_gone(vectors: VectorStore, workspace: str) -> None:
    write(vectors, workspace)
    vectors.prune(workspace, ["y:0", "never there"])
    vectors.prune(workspace, [])
    assert set(vectors.owners(workspace)) == {"x:0", "y:1"}


def test_an_empty_workspace_answers_with_nothing(vectors: VectorStore, workspace: str) -> None:
    assert vectors.count(workspace) == 0
    assert vectors.query(workspace, X, 10) == {}
    assert vectors.cosines(workspace, X, ["x:0"]) == {}
    assert vectors.owners(workspace) == {}


def test_no_workspace_sees_another_ones_vectors(vectors: VectorStore, workspace: str) -> None:
    other = f"{workspace} 2"
    write(vectors, workspace)
    vectors.upsert(other, ["x:0"], np.stack([Z]), ["first"])
    vectors.remove(other, "second")
    vectors.prune(other, ["y:0"])
    assert vectors.count(workspace) == 3
    assert vectors.cosines(workspace, X, ["x:0"]) == pytest.approx({"x:0": 1.0})
    assert vectors.query(other, Z, 10) == pytest.approx({"x:0": 1.0})
    vectors.remove(workspace, "first")
    assert vectors.count(other) == 1


def test_another_embedding_model_has_vectors_of_its_own(column: Settings, vectors: VectorStore, workspace: str) -> None:
    write(vectors, workspace)
    with closing(open_vectors(column, "another model")) as other:
        other.upsert(workspace, ["x:0"], np.ones((1, 5), np.float32), ["first"])
        assert (vectors.count(workspace), other.count(workspace)) == (3, 1)


def test_ten_thousand_vectors_go_in_batches_and_each_is_found(vectors: VectorStore, workspace: str) -> None:
    many = np.random.default_rng(7).normal(size=(10_001, 16)).astype(np.float32)
    many /= np.linalg.norm(many, axis=1, keepdims=True)
    names = [f"{number}:0" for number in range(len(many))]
    vectors.upsert(workspace, names, many, ["even" if number % 2 == 0 else "odd" for number in range(len(many))])
    assert vectors.count(workspace) == len(many)
    assert list(vectors.owners(workspace)) == names
    for number in (0, 4_999, 10_000):
        assert next(iter(vectors.query(workspace, many[number], 1))) == names[number]
    vectors.prune(workspace, names[:9_000])
    assert vectors.count(workspace) == 1_001
    vectors.remove(workspace, "odd")
    assert vectors.count(workspace) == 501


def test_vectors_are_there_when_opened_again(column: Settings, workspace: str) -> None:
    with closing(open_vectors(column, "a model")) as first:
        write(first, workspace)
    with closing(open_vectors(column, "a model")) as second:
        assert list(second.query(workspace, X, 1)) == ["x:0"]


def another_process(act: str, column: Settings, workspace: str) -> None:
    run = [sys.executable, "-m", "tests.contract.knowledge.other_vectors", act]
    subprocess.run([*run, column.data_dir, column.chroma.url, workspace], check=True)  # noqa: S603 - our own module


def test_what_another_process_writes_is_found(column: Settings, vectors: VectorStore, workspace: str) -> None:
    write(vectors, workspace)
    another_process("add", column, workspace)
    assert vectors.count(workspace) == 4
    assert next(iter(vectors.query(workspace, Z, 1))) == "theirs:0"


def test_a_collection_that_another_process_made_anew_is_found(
    column: Settings, vectors: VectorStore, workspace: str
) -> None:
    write(vectors, workspace)
    another_process("remake", column, workspace)
    assert vectors.query(workspace, Z, 5) == pytest.approx({"theirs:0": 1.0})
    vectors.upsert(workspace, ["x:0"], np.stack([X]), ["first"])
    assert vectors.count(workspace) == 2


ENTRIES = (
    ParsedChunk(ChunkKind.FAQ, "How do I reset my password?", "Click “Forgot password”.", ("I forgot my password",)),
    ParsedChunk(ChunkKind.FAQ, "How do I cancel my subscription?", "Open Billing and press Cancel."),
)


async def test_reindexing_leaves_what_is_loaded_meanwhile_alone(column: Settings, embedder: Embedder) -> None:
    async with open_test_store(column, embedder) as store:
        knowledge, vectors = store.knowledge.index, store.knowledge.index._vectors
        workspace = (await store.accounts.workspaces.create(new_id(), "Another")).id
        await store.knowledge.catalogue.store(workspace, "entries", ParsedFile(ENTRIES))
        before = set(await asyncio.to_thread(vectors.owners, workspace))
        loading = await store.knowledge.catalogue.create(workspace, "faq.csv", b"question,answer\nIs it blue?,Yes.\n")
        orphan = await asyncio.to_thread(embedder.embed, ["an orphan"])
        await asyncio.to_thread(vectors.upsert, workspace, ["half:0"], orphan, [loading.id])
        await asyncio.to_thread(vectors.upsert, workspace, ["orphan:0"], orphan, ["gone"])
        await knowledge.reindex(workspace)
        assert set(await asyncio.to_thread(vectors.owners, workspace)) == {*before, "half:0"}
        await store.knowledge.catalogue.load_document(loading.id)
        assert (await knowledge.search(workspace, "Is it blue?"))[0].chunk.text == "Yes."
        assert "half:0" not in await asyncio.to_thread(vectors.owners, workspace)


async def test_a_start_makes_vectors_anew_also_when_only_some_are_lost(column: Settings, embedder: Embedder) -> None:
    async with open_test_store(column, embedder) as store:
        knowledge, vectors = store.knowledge.index, store.knowledge.index._vectors
        workspace = (await store.accounts.workspaces.create(new_id(), "Another")).id
        await store.knowledge.catalogue.store(workspace, "entries", ParsedFile(ENTRIES))
        assert not await knowledge.chunks.lacks_vectors(workspace)
        names = sorted(await asyncio.to_thread(vectors.owners, workspace))
        await asyncio.to_thread(vectors.prune, workspace, names[:1])
        assert await knowledge.chunks.lacks_vectors(workspace)
        await knowledge.reindex(workspace)
        assert not await knowledge.chunks.lacks_vectors(workspace)
