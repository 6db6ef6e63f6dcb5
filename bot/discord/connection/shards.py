"""Sharding: each shard of the gateway is led by one process, since two on one would both route every message."""

import asyncio
import contextlib

from bot.discord.connection.client import DeskClient
from bot.discord.connection.leases import LeaseLostError, ShardLeases

START_TOGETHER_SECONDS = 0.1
"""How long after the first lease the other free ones are waited for, to start them together."""


class Shards:
    """The shards that this process leads: those that are free at the start, and those that become free later."""

    def __init__(self, leases: ShardLeases) -> None:
        self._leases = leases
        self._led: asyncio.Queue[int | None] = asyncio.Queue()
        self._holders: list[asyncio.Task[None]] = []

    async def wait_for_first(self, count: int) -> list[int]:
        """Wait until this process leads at least one of so many shards. Raises LeaseLostError."""
        self._holders = [asyncio.create_task(self._hold(shard_id)) for shard_id in range(count)]
        led = [await self._next()]
        await asyncio.sleep(START_TOGETHER_SECONDS)
        while not self._led.empty():
            led.append(await self._next())
        return sorted(led)

    async def run(self, client: DeskClient) -> None:
        """Start the shards whose leases come later, because another process ended.

        Raises LeaseLostError when a shard may have another leader: whoever runs the client has to close it.
        """
        while True:
            await client.start_shard(await self._next())

    async def close(self) -> None:
        """Give every lease back."""
        for holder in self._holders:
            holder.cancel()
        await asyncio.gather(*self._holders, return_exceptions=True)

    async def _next(self) -> int:
        shard_id = await self._led.get()
        if shard_id is None:
            raise LeaseLostError("another process may lead these shards now")
        return shard_id

    async def _hold(self, shard_id: int) -> None:
        async with self._leases.lead(shard_id) as lease:
            self._led.put_nowait(shard_id)
            with contextlib.suppress(asyncio.CancelledError):
                await lease.lost()
                self._led.put_nowait(None)
