"""Leader election of shards: who leads one, among all processes or in this one alone."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from bot.errors import BotError
from storage.cluster.leases import Lease


class LeaseLostError(BotError, ConnectionError):
    """Another process may lead a shard that this one led."""


class ShardLeases(Protocol):
    """Gives each shard to one leader at a time."""

    def lead(self, shard_id: int) -> AbstractAsyncContextManager[Lease]:
        """Wait until this process leads the shard; it does until the context ends or the lease is lost."""


class LocalLeases:
    """Leases within this process, for the embedded desk: there is nobody else, so none is ever lost."""

    def __init__(self) -> None:
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def lead(self, shard_id: int) -> AsyncIterator[Lease]:
        """Wait until nobody else in this process leads the shard."""
        async with self._locks[shard_id]:
            yield Lease()
