"""Event bridge by LISTEN and NOTIFY: what one process publishes wakes who waits in the others on this PostgreSQL."""

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
MAX_PAYLOAD_BYTES = 7900
"""Bytes; PostgreSQL takes less than 8,000."""
MAX_UNSENT_KEYS = 10_000
"""Keys kept while the server is away; news beyond them are lost, so others see the change when they look."""
HEARTBEAT_SECONDS = 15.0
RECONNECT_SECONDS = 1.0

Work = Callable[[psycopg.AsyncConnection[Any]], Awaitable[None]]


class PostgresBridge:
    """Takes keys between this process's events and those of the others. Lost notices only delay."""

    def __init__(self, url: str, events: EventBus) -> None:
        self._url = url
        self._events = events
        self._me = new_id()
        self._unsent: dict[str, None] = {}
        self._has_unsent = asyncio.Event()

    def enqueue(self, keys: tuple[str, ...]) -> None:
        """Send soon; what is published in the meantime goes with it."""
        for key in keys:
            if len(self._unsent) < MAX_UNSENT_KEYS:
                self._unsent[key] = None
        self._has_unsent.set()

    async def receive(self) -> None:
        """Wake who waits for what the others publish, until cancelled."""
        await self._reconnecting(self._receive)

    async def send(self) -> None:
        """Send what is published here, until cancelled."""
        await self._reconnecting(self._send)

    async def _reconnecting(self, work: Work) -> None:
        """Connect again whenever the connection breaks."""
        while True:
            try:
                async with await connect(self._url, "deskhand notices") as connection:
                    await work(connection)
            except BROKEN as error:
                log.warning("notices are cut off", error=str(error).partition("\n")[0], again_in=RECONNECT_SECONDS)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _receive(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        # Nobody heard what was told before this moment.
        self._events.wake_all()
        while True:
            async for notice in connection.notifies(timeout=HEARTBEAT_SECONDS):
                sender, *keys = json.loads(notice.payload)
                if sender != self._me:
                    self._events.wake(*keys)
            await connection.execute("SELECT 1")

    async def _send(self, connection: psycopg.AsyncConnection[Any]) -> None:
        # A notice is no row: it need not wait until the disk has it.
        await connection.execute("SET synchronous_commit TO off")
        while True:
            await self._has_unsent.wait()
            self._has_unsent.clear()
            while self._unsent:
                keys, self._unsent = self._unsent, {}
                try:
                    for payload in payloads(self._me, list(keys)):
                        await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
                except BROKEN:
                    self.enqueue(tuple(keys))
                    raise


def payloads(sender: str, keys: list[str]) -> list[str]:
    """JSON lists of the sender and keys, none of them too long for a notice."""
    whole = json.dumps([sender, *keys], ensure_ascii=False)
    if len(whole.encode()) <= MAX_PAYLOAD_BYTES or len(keys) == 1:
        return [whole]
    half = len(keys) // 2
    return payloads(sender, keys[:half]) + payloads(sender, keys[half:])


@asynccontextmanager
async def bridged_events(url: str, events: EventBus) -> AsyncIterator[None]:
    """While the block lasts, news travel between this process and the others on the same database."""
    if not url.startswith("postgresql"):
        yield
        return
    bridge = PostgresBridge(url, events)
    tasks = [asyncio.create_task(bridge.receive()), asyncio.create_task(bridge.send())]
    try:
        with events.forwarded_to(bridge.enqueue):
            yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
