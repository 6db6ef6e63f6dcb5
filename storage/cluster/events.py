"""Event bus: wakes who waits for news of a conversation or a workspace, here and in other processes."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Forward = Callable[[tuple[str, ...]], None]
"""Takes keys to the other processes; returns at once."""


class EventBus:
    """Wakes who waits for a key, such as a conversation's id.

    A hint, never the truth: who is woken reads the rows, and who waits also looks by itself now and then, so a
    change whose news was lost is only seen a little later.
    """

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._forward: Forward | None = None
        self._closing = False

    @property
    def is_closing(self) -> bool:
        """Whether this process is about to end: who waits for long gives up."""
        return self._closing

    def close(self) -> None:
        """Wake everybody, since this process ends."""
        self._closing = True
        self.wake_all()

    def publish(self, *keys: str) -> None:
        """Wake everybody who listens to one of these keys, in other processes too."""
        self.wake(*keys)
        if self._forward is not None:
            self._forward(keys)

    def wake(self, *keys: str) -> None:
        """Wake everybody in this process who listens to one of these keys."""
        for key in keys:
            for news in self._waiting.get(key, ()):
                news.set()

    def wake_all(self) -> None:
        """Wake everybody in this process: there may have been news of anything."""
        self.wake(*self._waiting)

    @contextmanager
    def forwarded_to(self, forward: Forward) -> Iterator[None]:
        """What is published meanwhile is also given to `forward`."""
        self._forward = forward
        try:
            yield
        finally:
            self._forward = None

    @contextmanager
    def listen(self, *keys: str) -> Iterator[asyncio.Event]:
        """An event that is set by news of any key; clear it before reading the rows, so that none is missed."""
        news = asyncio.Event()
        for key in keys:
            self._waiting[key].add(news)
        try:
            yield news
        finally:
            for key in keys:
                self._forget(key, news)

    def _forget(self, key: str, news: asyncio.Event) -> None:
        self._waiting[key].discard(news)
        if not self._waiting[key]:
            del self._waiting[key]


async def wait_for_event(news: asyncio.Event, seconds: float) -> None:
    """Return at the next news, or when it is time to look anyway."""
    try:
        await asyncio.wait_for(news.wait(), seconds)
    except TimeoutError:
        return
