"""Versioned cache of chunks: kept in memory for as long as the knowledge they were read from stays as it is."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from storage.records import Chunk

CAPACITY = 2_000
"""Chunks kept, of all workspaces together: a few megabytes."""


@dataclass(slots=True)
class _Entry:
    """What has been read of one version of a workspace's knowledge; None: no ready document has that chunk."""

    version: int
    chunks: dict[str, Chunk | None] = field(default_factory=dict)


class ChunkCache:
    """Remembers chunks by workspace and version: reading a version costs less than reading its chunks again."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._size = 0

    def get(self, workspace_id: str, version: int, ids: Collection[str]) -> dict[str, Chunk] | None:
        """These chunks, as far as they are in ready documents of this version; None unless all are remembered."""
        entry = self._entries.get(workspace_id)
        if entry is None or entry.version != version or not entry.chunks.keys() >= set(ids):
            return None
        self._entries.move_to_end(workspace_id)
        return {name: chunk for name in ids if (chunk := entry.chunks[name]) is not None}

    def put(self, workspace_id: str, version: int, ids: Collection[str], found: Mapping[str, Chunk]) -> None:
        """Remember what a look for these ids has found; the workspaces that were asked longest ago make room."""
        entry = self._entries.get(workspace_id)
        if entry is None or entry.version != version:
            self._evict(workspace_id)
            entry = self._entries[workspace_id] = _Entry(version)
        self._size -= len(entry.chunks)
        entry.chunks.update({name: found.get(name) for name in ids})
        self._size += len(entry.chunks)
        self._entries.move_to_end(workspace_id)
        while self._size > self._capacity:
            self._evict(next(iter(self._entries)))

    def _evict(self, workspace_id: str) -> None:
        entry = self._entries.pop(workspace_id, None)
        self._size -= len(entry.chunks) if entry else 0
