"""SQLite on the event loop: quick statements run there, and nothing that waits holds it up."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from storage.database.engine import Database, open_database

LONG = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {limit}) SELECT max(i) FROM n)"


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'rows.db'}")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE rows (id INTEGER PRIMARY KEY, word TEXT UNIQUE)"))
    yield database
    await database.close()


async def count(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM rows"))).scalar_one())


async def insert(database: Database, word: str) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO rows (word) VALUES (:word)"), {"word": word})


async def longest_pause(work: asyncio.Task[object]) -> float:
    """The longest time that the event loop stood still until the work was done."""
    longest = 0.0
    while not work.done():
        start = time.perf_counter()
        await asyncio.sleep(0.01)
        longest = max(longest, time.perf_counter() - start - 0.01)
    await work
    return longest


async def test_every_commit_is_full_in_a_write_ahead_log(file: Database) -> None:
    async with file.read() as connection:
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar_one() == 2
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
        assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar_one() == 1


async def test_a_block_that_raises_leaves_nothing_behind(file: Database) -> None:
    with pytest.raises(RuntimeError, match="stop"):
        await insert_then_fail(file)
    assert await count(file) == 0
    await insert(file, "after")
    assert await count(file) == 1


async def insert_then_fail(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO rows (word) VALUES ('one')"))
        raise RuntimeError("stop")


async def test_errors_are_sqlalchemys_own(file: Database) -> None:
    await insert(file, "one")
    with pytest.raises(IntegrityError):
        await insert(file, "one")


async def test_a_long_query_gives_its_rows_without_holding_up_the_loop(file: Database) -> None:
    async def ask() -> object:
        async with file.read() as connection:
            return (await connection.execute(text(f"SELECT {LONG.format(limit=3_000_000)}"))).scalar_one()

    work = asyncio.create_task(ask())
    assert await longest_pause(work) < 0.3
    assert work.result() == 3_000_000


async def test_a_long_query_in_a_read_sees_one_moment(file: Database) -> None:
    async with file.read() as connection:
        before = (await connection.execute(text("SELECT count(*) FROM rows"))).scalar_one()
        await insert(file, "meanwhile")
        both = text(f"SELECT count(*), {LONG.format(limit=200_000)} FROM rows")  # noqa: S608 - our own text
        assert (await connection.execute(both)).one() == (before, 200_000)


async def test_another_process_that_writes_is_waited_for_without_holding_up_the_loop(
    file: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "rows.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    work: asyncio.Task[object] = asyncio.create_task(insert(file, "late"))
    asyncio.get_running_loop().call_later(0.5, other.execute, "COMMIT")
    assert await longest_pause(work) < 0.3
    other.close()
    assert await count(file) == 1


async def test_a_cancelled_query_stops_and_its_connection_is_used_again(file: Database) -> None:
    async def ask() -> None:
        async with file.read() as connection:
            await connection.execute(text(f"SELECT {LONG.format(limit=2_000_000_000)}"))

    work = asyncio.create_task(ask())
    await asyncio.sleep(0.2)
    work.cancel()
    start = time.perf_counter()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert time.perf_counter() - start < 2
    await insert(file, "after")
    assert await count(file) == 1
