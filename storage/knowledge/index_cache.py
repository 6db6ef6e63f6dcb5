"""Stale-while-revalidate cache of keyword indexes: a search goes on with the old index until the new one is built."""

import asyncio
from collections import defaultdict

import structlog

from storage.knowledge.chunks import ChunkStore
from storage.knowledge.keyword_index import KeywordIndex, build_index

FIRST_WAIT_SECONDS = 1.0
"""How long a question waits for the keyword index when there is none yet."""
log = structlog.get_logger(__name__)


class KeywordIndexCache:
    """The keyword index of each workspace, as this process has last built it."""

    def __init__(self, chunks: ChunkStore) -> None:
        self._chunks = chunks
        self._indexes: dict[str, KeywordIndex] = {}
        self._building: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._refreshing: dict[str, asyncio.Task[None]] = {}

    async def get(self, workspace_id: str) -> KeywordIndex:
        """The last index built, an empty one before that: a large index must not hold up the first question."""
        if workspace_id not in self._indexes:
            self.refresh_later(workspace_id)
            await asyncio.wait([self._refreshing[workspace_id]], timeout=FIRST_WAIT_SECONDS)
        return self._indexes.get(workspace_id, KeywordIndex(version=-1))

    async def refresh(self, workspace_id: str) -> None:
        """Build the index anew if the knowledge has changed since."""
        async with self._building[workspace_id]:
            version, ready = await self._chunks.ready(workspace_id)
            index = self._indexes.get(workspace_id)
            if index is None or index.version != version:
                self._indexes[workspace_id] = await asyncio.to_thread(build_index, version, ready)

    def refresh_later(self, workspace_id: str) -> None:
        """Refresh in the background, once at a time."""
        if workspace_id not in self._refreshing:
            task = asyncio.create_task(self.refresh(workspace_id))
            self._refreshing[workspace_id] = task
            task.add_done_callback(lambda done: self._refreshed(workspace_id, done))

    def _refreshed(self, workspace_id: str, task: asyncio.Task[None]) -> None:
        del self._refreshing[workspace_id]
        if not task.cancelled() and (error := task.exception()):
            log.warning("the keyword index could not be built", workspace=workspace_id, error=error)

    async def close(self) -> None:
        """Wait for the indexes that are being built."""
        await asyncio.gather(*self._refreshing.values(), return_exceptions=True)
