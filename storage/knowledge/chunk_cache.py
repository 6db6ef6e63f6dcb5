"""Chunks kept in memory for as long as the knowledge they were read from stays as it is."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from storage.records import Chunk

MOST = 2_000
"""Chunks kept, of all workspaces together: a few megabytes."""


@dataclass(slots=True)
class _Read:
    """What has been read of one version of a workspace's knowledge; None: no ready document has that chunk."""

    version: int
    chunks: dict[str, Chunk | None] = field(default_factory=dict)


class ChunkCache:
    """Remembers chunks by workspace and version: reading a version costs less than reading its chunks again."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._read: OrderedDict[str, _Read] = OrderedDict()
        self._size = 0

    def at(self, workspace_id: str, version: int, ids: Collection[str]) -> dict[str, Chunk] | None:
        """These chunks, as far as they are in ready documents of this version; None unless all are remembered."""
        read = self._read.get(workspace_id)
        if read is None or read.version != version or not read.chunks.keys() >= set(ids):
            return None
        self._read.move_to_end(workspace_id)
        return {name: chunk for name in ids if (chunk := read.chunks[name]) is not None}

    def keep(self, workspace_id: str, version: int, ids: Collection[str], found: Mapping[str, Chunk]) -> None:
        """Remember what a look for these ids has found; the workspaces that were asked longest ago make room."""
        read = self._read.get(workspace_id)
        if read is None or read.version != version:
            self._forget(workspace_id)
            read = self._read[workspace_id] = _Read(version)
        self._size -= len(read.chunks)
        read.chunks.update({name: found.get(name) for name in ids})
        self._size += len(read.chunks)
        self._read.move_to_end(workspace_id)
        while self._size > self._most:
            self._forget(next(iter(self._read)))

    def _forget(self, workspace_id: str) -> None:
        read = self._read.pop(workspace_id, None)
        self._size -= len(read.chunks) if read else 0
