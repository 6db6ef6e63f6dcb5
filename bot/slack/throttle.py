"""At most one message per second and Slack channel (docs.slack.dev/apis/web-api/rate-limits)."""

import asyncio

from bot.errors import ChannelError

LONGEST_WAIT = 3.0
"""Who would wait longer is sent away, so that a busy channel does not hold the desk's workers."""
MAX_CHANNELS = 10_000


class SlackPace:
    """Gives each channel's posts their turn."""

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._next: dict[str, float] = {}

    async def turn(self, channel: str) -> None:
        """Return when the channel may be posted to; ChannelError with when to come back if that takes long."""
        clock = asyncio.get_running_loop().time
        at = max(clock(), self._next.get(channel, 0.0))
        if at - clock() > LONGEST_WAIT:
            raise ChannelError("this Slack channel is busy", retry_after=at - clock())
        self._trim(clock())
        self._next[channel] = at + self._seconds
        await asyncio.sleep(at - clock())

    def stop(self, channel: str, seconds: float) -> None:
        """Slack asks to leave this channel alone for a while."""
        self._next[channel] = asyncio.get_running_loop().time() + seconds

    def _trim(self, now: float) -> None:
        if len(self._next) > MAX_CHANNELS:
            self._next = {channel: at for channel, at in self._next.items() if at > now}
