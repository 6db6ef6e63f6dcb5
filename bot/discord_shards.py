"""The shards that this process leads: those that are free at the start, and those that become free later."""

import asyncio
import contextlib

from bot.discord_client import DeskClient
from bot.discord_leases import ShardLeases

TOGETHER_SECONDS = 0.1
"""How long after the first lease the other free ones are waited for, to start them together."""


class Shards:
    """Waits for every shard's lease and keeps those it gets."""

    def __init__(self, leases: ShardLeases) -> None:
        self._leases = leases
        self._led: asyncio.Queue[int] = asyncio.Queue()
        self._holders: list[asyncio.Task[None]] = []

    async def first(self, count: int) -> list[int]:
        """Wait until this process leads at least one of so many shards."""
        self._holders = [asyncio.create_task(self._hold(shard_id)) for shard_id in range(count)]
        led = [await self._led.get()]
        await asyncio.sleep(TOGETHER_SECONDS)
        while not self._led.empty():
            led.append(self._led.get_nowait())
        return sorted(led)

    async def run(self, client: DeskClient) -> None:
        """Start the shards whose leases come later, because another process ended."""
        while True:
            await client.start_shard(await self._led.get())

    async def close(self) -> None:
        """Give every lease back."""
        for holder in self._holders:
            holder.cancel()
        await asyncio.gather(*self._holders, return_exceptions=True)

    async def _hold(self, shard_id: int) -> None:
        async with self._leases.lead(shard_id):
            self._led.put_nowait(shard_id)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
