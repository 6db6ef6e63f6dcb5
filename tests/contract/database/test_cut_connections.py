"""A connection that PostgreSQL has cut is not used again: nobody's request fails for it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from storage.database.engine import Database
from storage.embeddings.protocol import Embedder
from storage.store import Store
from tests.support.rows import database_of
from tests.support.settings import settings_for
from tests.support.store import open_test_store
from tests.support.waiting import until

CONNECTIONS = 5


@pytest.fixture
async def store(tmp_path: Path, new_postgres_url: str, embedder: Embedder) -> AsyncIterator[Store]:
    """On PostgreSQL only: nobody cuts a file."""
    async with open_test_store(settings_for(tmp_path, new_postgres_url), embedder) as store:
        yield store


async def busy(database: Database) -> set[int]:
    """Use several connections at once; gives the server's numbers of them."""

    async def use(number: int) -> int:
        opened = database.read() if number % 2 else database.write()
        async with opened as connection:
            await connection.execute(text("SELECT pg_sleep(0.2)"))
            return int((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())

    return set(await asyncio.gather(*map(use, range(CONNECTIONS))))


async def test_what_was_cut_while_it_rested_is_replaced(store: Store) -> None:
    before = await busy(database_of(store))
    assert len(before) == CONNECTIONS
    assert await busy(database_of(store)) == before
    async with await psycopg.AsyncConnection.connect(database_of(store).conninfo, autocommit=True) as other:
        await other.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", (list(before),))
        alive = "SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)"

        async def gone() -> bool:
            return not await (await other.execute(alive, (list(before),))).fetchall()

        await until(gone)
    after = await busy(database_of(store))
    assert len(after) == CONNECTIONS
    assert not after & before


async def test_what_the_server_says_unasked_costs_no_connection(store: Store) -> None:
    before = await busy(database_of(store))
    async with database_of(store).write() as connection:
        await connection.execute(text("LISTEN news"))
    async with await psycopg.AsyncConnection.connect(database_of(store).conninfo, autocommit=True) as other:
        await other.execute("NOTIFY news")
    assert await busy(database_of(store)) == before


async def test_a_read_has_no_transaction_around_it(store: Store) -> None:
    async with database_of(store).read() as connection:
        first = (await connection.execute(text("SELECT now()"))).scalar_one()
        assert (await connection.execute(text("SELECT now()"))).scalar_one() > first
    async with database_of(store).write() as connection:
        first = (await connection.execute(text("SELECT now()"))).scalar_one()
        assert (await connection.execute(text("SELECT now()"))).scalar_one() == first
