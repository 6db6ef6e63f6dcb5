"""When the queue in memory looks at the rows again: if they hold more, and there is room for it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from storage.clock import now
from storage.database.engine import Database, open_database
from storage.queue.embedded.priority_queue import KeyedPriorityQueue
from storage.queue.embedded.refill import QueueRefill
from storage.queue.jobs import Job, JobKind
from tests.support.waiting import until_true

MAX_KEYS = 4


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Rows that hold nothing."""
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'rows.db'}")
    await database.upgrade()
    yield database
    await database.close()


def put(queue: KeyedPriorityQueue, *names: str) -> None:
    for name in names:
        queue.put(Job(JobKind.ANSWER, name, name), now())


async def looked(refill: QueueRefill, refilled: asyncio.Event) -> None:
    """One look at the rows is over."""
    refilled.clear()
    looking = asyncio.create_task(refill.keep_full())
    await asyncio.wait_for(refilled.wait(), 10)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_what_the_rows_hold_is_not_known_before_the_first_look(database: Database) -> None:
    refilled, queue = asyncio.Event(), KeyedPriorityQueue(MAX_KEYS, 1)
    refill = QueueRefill(database, queue, MAX_KEYS, refilled.set)
    assert refill.is_behind
    await looked(refill, refilled)
    assert not refill.is_behind


async def test_what_was_left_to_the_rows_is_looked_for_until_a_look_has_found_it(database: Database) -> None:
    refilled, queue = asyncio.Event(), KeyedPriorityQueue(MAX_KEYS, 1)
    refill = QueueRefill(database, queue, MAX_KEYS, refilled.set)
    await looked(refill, refilled)
    put(queue, *"abcd")
    assert not refill.is_behind
    put(queue, "e")
    assert refill.is_behind
    await looked(refill, refilled)
    assert not refill.is_behind


async def test_rows_that_cannot_be_read_may_hold_more(database: Database) -> None:
    refilled = asyncio.Event()
    refill = QueueRefill(database, KeyedPriorityQueue(MAX_KEYS, 1), MAX_KEYS, refilled.set)
    await looked(refill, refilled)
    async with database.write() as connection:
        await connection.execute(text("ALTER TABLE turns RENAME TO lost"))
    with capture_logs() as lines:
        looking = asyncio.create_task(refill.keep_full())
        await until_true(lambda: bool(lines), "a line about the rows", 10)
        looking.cancel()
    assert refill.is_behind
    assert lines[0]["event"] == "the queue's rows could not be read"
