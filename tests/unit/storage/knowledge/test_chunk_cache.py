"""Chunks that were read are given again only for the version, workspace and ids that they were read for."""

from storage.knowledge.chunk_cache import ChunkCache
from storage.records import Chunk, ChunkKind


def chunk(name: str) -> Chunk:
    return Chunk(id=name, workspace_id="demo", document_id="d", kind=ChunkKind.FAQ, title=name, text="Yes.")


def test_what_was_read_is_given_again() -> None:
    read = ChunkCache()
    read.keep("demo", 1, ["a", "b"], {"a": chunk("a"), "b": chunk("b")})
    assert read.at("demo", 1, ["b"]) == {"b": chunk("b")}


def test_a_chunk_that_no_ready_document_has_is_remembered_as_such() -> None:
    read = ChunkCache()
    read.keep("demo", 1, ["a", "gone"], {"a": chunk("a")})
    assert read.at("demo", 1, ["a", "gone"]) == {"a": chunk("a")}


def test_one_unknown_id_asks_for_a_new_look() -> None:
    read = ChunkCache()
    read.keep("demo", 1, ["a"], {"a": chunk("a")})
    assert read.at("demo", 1, ["a", "b"]) is None


def test_another_version_forgets_the_one_before() -> None:
    read = ChunkCache()
    read.keep("demo", 1, ["a"], {"a": chunk("a")})
    assert read.at("demo", 2, ["a"]) is None
    read.keep("demo", 2, ["b"], {"b": chunk("b")})
    assert read.at("demo", 2, ["a"]) is None
    assert read.at("demo", 1, ["a"]) is None


def test_no_workspace_sees_another_ones_chunks() -> None:
    read = ChunkCache()
    read.keep("demo", 1, ["a"], {"a": chunk("a")})
    assert read.at("other", 1, ["a"]) is None


def test_the_workspaces_that_were_asked_longest_ago_make_room() -> None:
    read = ChunkCache(most=4)
    for name in ("one", "two"):
        read.keep(name, 1, ["a", "b"], {})
    assert read.at("one", 1, ["a"]) == {}
    read.keep("three", 1, ["a"], {})
    assert read.at("two", 1, ["a"]) is None
    assert read.at("one", 1, ["a"]) == {}
    assert read.at("three", 1, ["a"]) == {}
