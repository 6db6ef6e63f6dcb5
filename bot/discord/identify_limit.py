"""How fast sessions may be started: https://docs.discord.com/developers/events/gateway#sharding-max-concurrency ."""

import asyncio

SECONDS_BETWEEN = 5.0


class IdentifyPace:
    """One identify per five seconds for each rate-limit key, which is the shard's id modulo the allowed concurrency."""

    def __init__(self, max_concurrency: int = 1) -> None:
        self._max_concurrency = max(1, max_concurrency)
        self._next: dict[int, float] = {}

    async def wait(self, shard_id: int) -> None:
        """Return when this shard may identify."""
        clock = asyncio.get_running_loop().time
        key = shard_id % self._max_concurrency
        at = max(clock(), self._next.get(key, 0.0))
        self._next[key] = at + SECONDS_BETWEEN
        await asyncio.sleep(at - clock())
