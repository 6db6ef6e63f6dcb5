"""Rate limiting by spacing: the calls under one key are made in the order they came, a fixed gap apart."""

import asyncio
from collections.abc import Hashable

from bot.errors import ChannelError

MAX_THROTTLE_KEYS = 10_000
"""With more, those whose moment has passed are forgotten."""


class KeyedThrottle:
    """Says for each key, such as a channel, when the next call may be made; without a key all calls share one row."""

    def __init__(self, gap: float, *, longest_wait: float | None = None) -> None:
        """`gap`: seconds between two calls. Who would wait beyond `longest_wait` is refused instead of held."""
        self._gap = gap
        self._longest_wait = longest_wait
        self._free_at: dict[Hashable, float] = {}

    async def wait(self, key: Hashable = None) -> None:
        """Return when a call may be made; ChannelError with when to come back if that takes too long."""
        delay = self.delay(key)
        if self._longest_wait is not None and delay > self._longest_wait:
            raise ChannelError("too many messages at once", retry_after=delay)
        self._forget_past()
        self._free_at[key] = _now() + delay + self._gap
        await asyncio.sleep(delay)

    def delay(self, key: Hashable = None) -> float:
        """Seconds that a call made now would wait."""
        return max(0.0, self._free_at.get(key, 0.0) - _now())

    def pause(self, key: Hashable, seconds: float) -> None:
        """The platform asks to leave this key alone for so long."""
        self._free_at[key] = _now() + seconds

    def _forget_past(self) -> None:
        if len(self._free_at) > MAX_THROTTLE_KEYS:
            self._free_at = {key: at for key, at in self._free_at.items() if at > _now()}


def _now() -> float:
    return asyncio.get_running_loop().time()
