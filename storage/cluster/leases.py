"""Leader election by leases: what only one of many processes may do, by session advisory locks of PostgreSQL."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
import structlog

from storage.database.postgres import BROKEN, connect

log = structlog.get_logger(__name__)

LOCK_NAMESPACE = 7215302
"""The first of the two numbers of every advisory lock, so that nothing else on this database takes the same ones."""
HEARTBEAT_SECONDS = 1.0
"""How often the holder proves to be there, and who waits asks again."""
HANDOVER_SECONDS = 3.0
"""How long a new holder waits: the one before, if it was cut off, has missed a heartbeat by then and stopped."""
LEASE_TIMEOUT_SECONDS = 8.0
"""A heartbeat that is not answered for so long means that the lease is lost."""
KEEPALIVE_SETTINGS = ("tcp_keepalives_idle = 10", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 3")
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
        self._connection_lock = asyncio.Lock()
        self._wakeup = asyncio.Event()
        self._heartbeat_at = 0.0
        self._timed_out = False
        self._held: dict[int, Lease] = {}
        self._requested: dict[int, asyncio.Future[Lease]] = {}
        self._contended: set[int] = set()
        self._local_locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def lead(self, number: int) -> AsyncIterator[Lease]:
        """Wait until this process holds the lease of this number; it does until the block ends or the lease is lost."""
        # PostgreSQL would give a lock twice to one session.
        async with self._local_locks[number]:
            lease = await self._acquire(number)
            try:
                yield lease
            finally:
                await self._release(number, lease)

    async def run_heartbeat(self) -> None:
        """Ask for what is wanted and prove to be there, until cancelled; connects again when it is cut off."""
        while True:
            try:
                async with self._connection_lock:
                    await self._heartbeat()
            except BROKEN as error:
                log.warning("leases are cut off", error=str(error).partition("\n")[0])
                await self.drop()
            self._wakeup.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wakeup.wait(), HEARTBEAT_SECONDS)

    async def watch_heartbeat(self) -> None:
        """Lose what is held when no heartbeat is answered, however long the connection itself takes to say so."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if self._held and asyncio.get_running_loop().time() - self._heartbeat_at > LEASE_TIMEOUT_SECONDS:
                self._timed_out = True
                self._lose_all()

    async def drop(self) -> None:
        """Close the connection: the server takes every lock back."""
        self._lose_all()
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _acquire(self, number: int) -> Lease:
        self._contended.discard(number)
        lease = await self._request(number)
        try:
            if number in self._contended:
                await asyncio.sleep(HANDOVER_SECONDS)
        except asyncio.CancelledError:
            await self._release(number, lease)
            raise
        return lease

    async def _request(self, number: int) -> Lease:
        request: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        self._requested[number] = request
        self._wakeup.set()
        try:
            return await request
        except asyncio.CancelledError:
            if number in self._held:
                await self._release(number, self._held[number])
            raise
        finally:
            del self._requested[number]

    async def _heartbeat(self) -> None:
        if self._connection is None and not self._requested:
            return
        if self._connection is None:
            self._connection, self._timed_out = await connect(self._url, "deskhand leases"), False
            for setting in KEEPALIVE_SETTINGS:
                await self._connection.execute(f"SET {setting}")
        await self._connection.execute("SELECT 1")
        if self._timed_out:
            raise TimeoutError("the server answered too late")
        self._heartbeat_at = asyncio.get_running_loop().time()
        for number, request in list(self._requested.items()):
            await self._try_lock(self._connection, number, request)

    async def _try_lock(
        self, connection: psycopg.AsyncConnection[Any], number: int, request: "asyncio.Future[Lease]"
    ) -> None:
        if not await self._query(connection, "SELECT pg_try_advisory_lock(%s, %s)", number):
            self._contended.add(number)
        elif request.done():
            # Nobody wants it any more.
            await self._query(connection, "SELECT pg_advisory_unlock(%s, %s)", number)
        else:
            self._held[number] = lease = Lease()
            request.set_result(lease)

    async def _query(self, connection: psycopg.AsyncConnection[Any], query: str, number: int) -> bool:
        answer = await (await connection.execute(query, (LOCK_NAMESPACE, number))).fetchone()
        return bool(answer and answer[0])

    async def _release(self, number: int, lease: Lease) -> None:
        self._held.pop(number, None)
        if lease.is_lost:
            return
        try:
            async with asyncio.timeout(LEASE_TIMEOUT_SECONDS), self._connection_lock:
                if self._connection is not None:
                    await self._query(self._connection, "SELECT pg_advisory_unlock(%s, %s)", number)
        except BROKEN:
            await self.drop()

    def _lose_all(self) -> None:
        for lease in self._held.values():
            lease.lose()
        self._held.clear()


@asynccontextmanager
async def open_leases(url: str) -> AsyncIterator[AdvisoryLeases]:
    """The leases of this process on this PostgreSQL; at the end it holds none."""
    leases = AdvisoryLeases(url)
    tasks = [asyncio.create_task(leases.run_heartbeat()), asyncio.create_task(leases.watch_heartbeat())]
    try:
        yield leases
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await leases.drop()
