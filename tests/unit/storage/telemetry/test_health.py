"""Health says which part does not answer, and the log says why."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database.engine import Database, open_database
from storage.errors import UnavailableError
from storage.telemetry.health import Health


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database that nobody has migrated."""
    opened = open_database(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
    yield opened
    await opened.close()


async def fine() -> None:
    return None


async def away() -> None:
    raise UnavailableError("gone")


async def hangs() -> None:
    await asyncio.sleep(3600)


async def test_each_part_is_asked_for_itself(database: Database) -> None:
    assert await Health(database, fine).parts() == {"database": True, "vectors": True}
    assert await Health(database, away).parts() == {"database": True, "vectors": False}


async def test_a_part_that_hangs_does_not_answer(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await Health(database, fine).parts()  # the first connection takes its time
    monkeypatch.setattr("storage.telemetry.health.CHECK_SECONDS", 0.5)
    assert await Health(database, hangs).parts() == {"database": True, "vectors": False}


async def test_a_database_without_a_schema_is_not_ready(database: Database) -> None:
    assert await Health(database, fine).readiness() == {"database": True, "schema": False, "vectors": True}


@pytest.mark.parametrize("takes_jobs", [True, False])
async def test_a_process_that_should_take_jobs_is_ready_when_it_does(database: Database, takes_jobs: bool) -> None:
    assert (await Health(database, fine, lambda: takes_jobs).readiness())["queue"] is takes_jobs
