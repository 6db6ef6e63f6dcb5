"""Alive is not ready: what a process says of itself to those who start and stop it."""

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from storage.telemetry.health import Health
from storage.telemetry.metrics import Metrics
from tests.support.rest import Rest
from tests.support.rows import database_of
from workbench.http.health import health_routes

pytest_plugins = ["tests.support.rest_fixtures"]


def door(rest: Rest, works: Callable[[], bool]) -> httpx.AsyncClient:
    """What a worker serves: these routes alone."""
    store = rest.process.store
    app = FastAPI()
    health = Health(database_of(store), store.knowledge.index.check, works)
    app.include_router(health_routes(health, Metrics(CollectorRegistry(), database_of(store))))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door")


async def parts(client: httpx.AsyncClient) -> tuple[int, dict[str, str]]:
    answer = await client.get("/health/ready")
    return answer.status_code, answer.json()["parts"]


async def test_a_process_with_all_its_parts_is_ready(rest_on_each: Rest) -> None:
    async with door(rest_on_each, lambda: True) as client:
        assert await parts(client) == (
            200,
            {"database": "ready", "schema": "ready", "vectors": "ready", "queue": "ready"},
        )


async def test_a_process_is_ready_as_soon_as_it_takes_jobs(rest: Rest) -> None:
    assert (await parts(rest.client))[1]["queue"] == "not-ready"
    rest.work()
    assert (await parts(rest.client))[1]["queue"] == "ready"
    await rest.process.jobs.stop()
    assert (await parts(rest.client))[1]["queue"] == "not-ready"


async def test_a_worker_that_takes_no_jobs_is_alive_and_not_ready(rest: Rest) -> None:
    async with door(rest, lambda: False) as client:
        status, found = await parts(client)
        assert (status, found["queue"], found["database"]) == (503, "not-ready", "ready")
        assert (await client.get("/health/live")).json() == {"status": "alive"}
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/metrics")).status_code == 200


@pytest.mark.parametrize(("revision", "word"), [("0001", "not-ready"), ("from the future", "ready")])
async def test_an_older_schema_stops_a_process_and_a_newer_one_does_not(
    rest_on_each: Rest, revision: str, word: str
) -> None:
    async with database_of(rest_on_each.process.store).write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    rest_on_each.work()
    answer = await rest_on_each.client.get("/health/ready")
    assert answer.json()["parts"]["schema"] == word
    assert answer.status_code == (200 if word == "ready" else 503)


async def test_a_process_without_its_database_is_alive_and_not_ready(rest: Rest) -> None:
    database = rest.process.settings.data_dir / "deskhand.db"
    await database_of(rest.process.store).close()
    database.unlink()
    database.mkdir()
    answer = await rest.client.get("/health/ready")
    assert answer.status_code == 503
    assert {name for name, word in answer.json()["parts"].items() if word == "ready"} == {"vectors"}
    assert (await rest.client.get("/health/live")).status_code == 200
