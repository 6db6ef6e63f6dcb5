"""News between processes: what one publishes wakes who waits in the others, by PostgreSQL's LISTEN and NOTIFY."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import structlog

from storage.cluster.events import EventBus
from storage.database.postgres import BROKEN, connect
from storage.records import new_id

log = structlog.get_logger(__name__)

CHANNEL = "deskhand_news"
MAX_PAYLOAD = 7900
"""Bytes; PostgreSQL takes less than 8,000."""
MAX_UNSENT = 10_000
"""Keys kept while the server is away; news beyond them are lost, so others see the change when they look."""
BEAT_SECONDS = 15.0
AGAIN_SECONDS = 1.0

Work = Callable[[psycopg.AsyncConnection[Any]], Awaitable[None]]


class PostgresBridge:
    """Carries keys between this process's signals and those of the others. Lost notices only delay."""

    def __init__(self, url: str, signals: EventBus) -> None:
        self._url = url
        self._signals = signals
        self._me = new_id()
        self._unsent: dict[str, None] = {}
        self._something = asyncio.Event()

    def post(self, keys: tuple[str, ...]) -> None:
        """Tell the other processes soon; what is published in the meantime goes with it."""
        for key in keys:
            if len(self._unsent) < MAX_UNSENT:
                self._unsent[key] = None
        self._something.set()

    async def listen(self) -> None:
        """Hear the others until cancelled."""
        await self._for_ever(self._hear)

    async def tell(self) -> None:
        """Tell the others until cancelled."""
        await self._for_ever(self._send)

    async def _for_ever(self, work: Work) -> None:
        """Connect again whenever the connection breaks."""
        while True:
            try:
                async with await connect(self._url, "deskhand notices") as connection:
                    await work(connection)
            except BROKEN as error:
                log.warning("notices are cut off", error=str(error).partition("\n")[0], again_in=AGAIN_SECONDS)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _hear(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        # Nobody heard what was told before this moment.
        self._signals.wake_all()
        while True:
            async for notice in connection.notifies(timeout=BEAT_SECONDS):
                sender, *keys = json.loads(notice.payload)
                if sender != self._me:
                    self._signals.wake(*keys)
            await connection.execute("SELECT 1")

    async def _send(self, connection: psycopg.AsyncConnection[Any]) -> None:
        # A notice is no row: it need not wait until the disk has it.
        await connection.execute("SET synchronous_commit TO off")
        while True:
            await self._something.wait()
            self._something.clear()
            while self._unsent:
                keys, self._unsent = self._unsent, {}
                try:
                    for payload in payloads(self._me, list(keys)):
                        await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
                except BROKEN:
                    self.post(tuple(keys))
                    raise


def payloads(sender: str, keys: list[str]) -> list[str]:
    """JSON lists of the sender and keys, none of them too long for a notice."""
    whole = json.dumps([sender, *keys], ensure_ascii=False)
    if len(whole.encode()) <= MAX_PAYLOAD or len(keys) == 1:
        return [whole]
    half = len(keys) // 2
    return payloads(sender, keys[:half]) + payloads(sender, keys[half:])


@asynccontextmanager
async def bridged_events(url: str, signals: EventBus) -> AsyncIterator[None]:
    """While the block lasts, news travel between this process and the others on the same database."""
    if not url.startswith("postgresql"):
        yield
        return
    notices = PostgresBridge(url, signals)
    tasks = [asyncio.create_task(notices.listen()), asyncio.create_task(notices.tell())]
    try:
        with signals.carried_by(notices.post):
            yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
