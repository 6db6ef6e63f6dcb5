"""Who leads which shard: two processes on one shard would both hear every message."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class ShardLeases(Protocol):
    """Gives each shard to one leader at a time."""

    def lead(self, shard_id: int) -> AbstractAsyncContextManager[None]:
        """Wait until this process leads the shard; it does until the context ends."""


class LocalLeases:
    """Leases within this process, for the embedded desk: there is nobody else."""

    def __init__(self) -> None:
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def lead(self, shard_id: int) -> AsyncIterator[None]:
        """Wait until nobody else in this process leads the shard."""
        async with self._locks[shard_id]:
            yield
