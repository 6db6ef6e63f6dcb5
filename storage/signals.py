"""News inside this process: something about a conversation or a workspace has changed."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Signals:
    """Wakes who waits for a key, such as a conversation's id.

    A hint, never the truth: who is woken reads the rows, and who waits also looks by itself now and then, so a
    change made by another process is only seen a little later.
    """

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def publish(self, *keys: str) -> None:
        """Wake everybody who listens to one of these keys."""
        for key in keys:
            for news in self._waiting.get(key, ()):
                news.set()

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


async def wait_for_news(news: asyncio.Event, seconds: float) -> None:
    """Return at the next news, or when it is time to look anyway."""
    try:
        await asyncio.wait_for(news.wait(), seconds)
    except TimeoutError:
        return
