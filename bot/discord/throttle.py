"""Staying below Discord's global limit of 50 requests per second for a bot, with room for what the library asks."""

import asyncio

PER_SECOND = 40.0
COURTESY_SECONDS = 1.0


class Pace:
    """Gives every call its moment, in the order in which they came."""

    def __init__(self, per_second: float = PER_SECOND) -> None:
        self._gap = 1 / per_second
        self._next = 0.0

    async def turn(self) -> None:
        """Return when a call may be made."""
        clock = asyncio.get_running_loop().time
        at = max(clock(), self._next)
        self._next = at + self._gap
        await asyncio.sleep(at - clock())

    @property
    def is_busy(self) -> bool:
        """Whether a call would wait so long that a mere courtesy had better be left out."""
        return self._next - asyncio.get_running_loop().time() > COURTESY_SECONDS
