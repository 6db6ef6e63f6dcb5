"""Leases: what only one of many processes may do at a time, by session advisory locks of PostgreSQL."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
import structlog

from storage.database.postgres import BROKEN, connect

log = structlog.get_logger(__name__)

SPACE = 7215302
"""The first of the two numbers of every lock, so that nothing else on this database takes the same ones."""
BEAT_SECONDS = 1.0
"""How often the holder proves to be there, and who waits asks again."""
HANDOVER_SECONDS = 3.0
"""How long a new holder waits: the one before, if it was cut off, has missed a beat by then and stopped."""
PATIENCE_SECONDS = 8.0
"""A beat that is not answered for so long means that the lease is lost."""
VANISHED = ("tcp_keepalives_idle = 10", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 3")
"""So the server gives the lock of a machine that vanished to another one, later than the holder gave it up itself."""


class Lease:
    """Held until it is given back or lost."""

    def __init__(self) -> None:
        self._lost = asyncio.Event()

    @property
    def is_lost(self) -> bool:
        """Whether another process may hold it now."""
        return self._lost.is_set()

    def lose(self) -> None:
        """Say that it cannot be relied on any more."""
        self._lost.set()

    async def lost(self) -> None:
        """Return when it is lost: stop at once what it was for."""
        await self._lost.wait()


class AdvisoryLeases:
    """Every lease of this process, on one connection: they are lost together."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._using = asyncio.Lock()
        self._news = asyncio.Event()
        self._beaten_at = 0.0
        self._expired = False
        self._held: dict[int, Lease] = {}
        self._wanted: dict[int, asyncio.Future[Lease]] = {}
        self._refused: set[int] = set()
        self._here: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def lead(self, number: int) -> AsyncIterator[Lease]:
        """Wait until this process holds the lease of this number; it does until the block ends or the lease is lost."""
        # PostgreSQL would give a lock twice to one session.
        async with self._here[number]:
            lease = await self._granted(number)
            try:
                yield lease
            finally:
                await self._give_back(number, lease)

    async def tend(self) -> None:
        """Ask for what is wanted and prove to be there, until cancelled; connects again when it is cut off."""
        while True:
            try:
                async with self._using:
                    await self._beat()
            except BROKEN as error:
                log.warning("leases are cut off", error=str(error).partition("\n")[0])
                await self.drop()
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), BEAT_SECONDS)

    async def watch(self) -> None:
        """Lose what is held when no beat is answered, however long the connection itself takes to say so."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            if self._held and asyncio.get_running_loop().time() - self._beaten_at > PATIENCE_SECONDS:
                self._expired = True
                self._lose()

    async def drop(self) -> None:
        """Close the connection: the server takes every lock back."""
        self._lose()
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _granted(self, number: int) -> Lease:
        self._refused.discard(number)
        lease = await self._asked_for(number)
        try:
            if number in self._refused:
                await asyncio.sleep(HANDOVER_SECONDS)
        except asyncio.CancelledError:
            await self._give_back(number, lease)
            raise
        return lease

    async def _asked_for(self, number: int) -> Lease:
        wish: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        self._wanted[number] = wish
        self._news.set()
        try:
            return await wish
        except asyncio.CancelledError:
            if number in self._held:
                await self._give_back(number, self._held[number])
            raise
        finally:
            del self._wanted[number]

    async def _beat(self) -> None:
        if self._connection is None and not self._wanted:
            return
        if self._connection is None:
            self._connection, self._expired = await connect(self._url, "deskhand leases"), False
            for setting in VANISHED:
                await self._connection.execute(f"SET {setting}")
        await self._connection.execute("SELECT 1")
        if self._expired:
            raise TimeoutError("the server answered too late")
        self._beaten_at = asyncio.get_running_loop().time()
        for number, wish in list(self._wanted.items()):
            await self._try(self._connection, number, wish)

    async def _try(self, connection: psycopg.AsyncConnection[Any], number: int, wish: "asyncio.Future[Lease]") -> None:
        if not await self._ask(connection, "SELECT pg_try_advisory_lock(%s, %s)", number):
            self._refused.add(number)
        elif wish.done():
            # Nobody wants it any more.
            await self._ask(connection, "SELECT pg_advisory_unlock(%s, %s)", number)
        else:
            self._held[number] = lease = Lease()
            wish.set_result(lease)

    async def _ask(self, connection: psycopg.AsyncConnection[Any], query: str, number: int) -> bool:
        answer = await (await connection.execute(query, (SPACE, number))).fetchone()
        return bool(answer and answer[0])

    async def _give_back(self, number: int, lease: Lease) -> None:
        self._held.pop(number, None)
        if lease.is_lost:
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._using:
                if self._connection is not None:
                    await self._ask(self._connection, "SELECT pg_advisory_unlock(%s, %s)", number)
        except BROKEN:
            await self.drop()

    def _lose(self) -> None:
        for lease in self._held.values():
            lease.lose()
        self._held.clear()


@asynccontextmanager
async def open_leases(url: str) -> AsyncIterator[AdvisoryLeases]:
    """The leases of this process on this PostgreSQL; at the end it holds none."""
    leases = AdvisoryLeases(url)
    tasks = [asyncio.create_task(leases.tend()), asyncio.create_task(leases.watch())]
    try:
        yield leases
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await leases.drop()
