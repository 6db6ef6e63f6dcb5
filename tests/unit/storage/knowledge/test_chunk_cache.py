"""Chunks that were read are given again only for the version, workspace and ids that they were read for."""

from storage.knowledge.chunk_cache import ChunkCache
from storage.records import Chunk, ChunkKind


def chunk(name: str) -> Chunk:
    return Chunk(id=name, workspace_id="demo", document_id="d", kind=ChunkKind.FAQ, title=name, text="Yes.")


def test_what_was_read_is_given_again() -> None:
    cache = ChunkCache()
    cache.put("demo", 1, ["a", "b"], {"a": chunk("a"), "b": chunk("b")})
    assert cache.get("demo", 1, ["b"]) == {"b": chunk("b")}


def test_a_chunk_that_no_ready_document_has_is_remembered_as_such() -> None:
    cache = ChunkCache()
    cache.put("demo", 1, ["a", "gone"], {"a": chunk("a")})
    assert cache.get("demo", 1, ["a", "gone"]) == {"a": chunk("a")}


def test_one_unknown_id_asks_for_a_new_look() -> None:
    cache = ChunkCache()
    cache.put("demo", 1, ["a"], {"a": chunk("a")})
    assert cache.get("demo", 1, ["a", "b"]) is None


def test_another_version_forgets_the_one_before() -> None:
    cache = ChunkCache()
    cache.put("demo", 1, ["a"], {"a": chunk("a")})
    assert cache.get("demo", 2, ["a"]) is None
    cache.put("demo", 2, ["b"], {"b": chunk("b")})
    assert cache.get("demo", 2, ["a"]) is None
    assert cache.get("demo", 1, ["a"]) is None


def test_no_workspace_sees_another_ones_chunks() -> None:
    cache = ChunkCache()
    cache.put("demo", 1, ["a"], {"a": chunk("a")})
    assert cache.get("other", 1, ["a"]) is None


def test_the_workspaces_that_were_asked_longest_ago_make_room() -> None:
    cache = ChunkCache(capacity=4)
    for name in ("one", "two"):
        cache.put(name, 1, ["a", "b"], {})
    assert cache.get("one", 1, ["a"]) == {}
    cache.put("three", 1, ["a"], {})
    assert cache.get("two", 1, ["a"]) is None
    assert cache.get("one", 1, ["a"]) == {}
    assert cache.get("three", 1, ["a"]) == {}
