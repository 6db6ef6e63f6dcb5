"""Leases on a real PostgreSQL: one leader at a time, the next one when it ends or is cut off, and it notices."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from bot.discord.connection.leases import LocalLeases, ShardLeases
from graph.triage.classifier import Classifier
from storage.cluster.leases import AdvisoryLeases, open_leases
from storage.embeddings.protocol import Embedder
from tests.simulators.discord.desk import Server, running_desk
from tests.simulators.discord.gateway import Gateway
from tests.support.waiting import until_true

pytest_plugins = ["tests.simulators.discord.fixtures"]

PATIENCE = 60.0
"""Seconds until something counts as never happening; machines are shared."""


@asynccontextmanager
async def leading(leases: ShardLeases, number: int) -> AsyncIterator[None]:
    async with asyncio.timeout(PATIENCE) as patience, leases.lead(number):
        patience.reschedule(None)
        yield


@pytest.fixture
def url(new_postgres_url: str) -> str:
    return new_postgres_url.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(params=["within one process", "between two processes"])
async def contenders(
    request: pytest.FixtureRequest, new_postgres_url: str
) -> AsyncIterator[tuple[ShardLeases, ShardLeases]]:
    """The leases as two who want the same shards see them."""
    if request.param == "within one process":
        local = LocalLeases()
        yield local, local
        return
    address = new_postgres_url.replace("postgresql://", "postgresql+psycopg://", 1)
    async with open_leases(address) as one, open_leases(address) as other:
        yield one, other


async def test_a_lease_has_one_holder_and_the_next_gets_it_when_it_is_given_back(
    contenders: tuple[ShardLeases, ShardLeases],
) -> None:
    one, other = contenders
    async with leading(one, 7), leading(other, 8):
        async with leading(one, 9):
            late = asyncio.create_task(hold(other, 9))
            await asyncio.sleep(1.5)
            assert not late.done()
        await asyncio.wait_for(late, PATIENCE)


async def test_who_gives_up_waiting_does_not_get_it_later(contenders: tuple[ShardLeases, ShardLeases]) -> None:
    one, other = contenders
    async with leading(one, 7):
        waiting = asyncio.create_task(hold(other, 7))
        await asyncio.sleep(0.2)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with leading(other, 8), leading(one, 7):
        pass


async def hold(leases: ShardLeases, number: int) -> None:
    async with leases.lead(number):
        pass


async def test_a_holder_that_is_cut_off_notices_before_the_next_one_begins(url: str, new_postgres_url: str) -> None:
    order: list[str] = []

    async def first(leases: AdvisoryLeases, began: asyncio.Event) -> None:
        async with leases.lead(7) as lease:
            began.set()
            await lease.lost()
            order.append("the first noticed")

    async def second(leases: AdvisoryLeases) -> None:
        async with leases.lead(7):
            order.append("the second began")

    async with open_leases(url) as one, open_leases(url) as other:
        began = asyncio.Event()
        tasks = [asyncio.create_task(first(one, began))]
        await asyncio.wait_for(began.wait(), PATIENCE)
        tasks.append(asyncio.create_task(second(other)))
        await asyncio.sleep(0.5)
        async with frozen_beats(one):
            # The other one asks before the holder's next beat.
            await cut_holder(new_postgres_url)
            await asyncio.sleep(1.5)
        await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE)
    assert order == ["the first noticed", "the second began"]


async def test_after_a_cut_a_lease_can_be_held_again(url: str, new_postgres_url: str) -> None:
    async with open_leases(url) as leases:
        async with leases.lead(7) as lease:
            await cut_holder(new_postgres_url)
            await asyncio.wait_for(lease.lost(), PATIENCE)
        async with leading(leases, 7):
            assert await holders(new_postgres_url) == 1
        assert await holders(new_postgres_url) == 0


async def test_a_bot_that_lost_its_shard_closes_its_gateway_before_another_leads_and_asks_again(
    url: str,
    new_postgres_url: str,
    simulated: Server,
    tmp_path: Path,
    embedder: Embedder,
    warm_classifier: Classifier,
) -> None:
    gateway = simulated.simulator.gateway
    async with (
        open_leases(url) as leases,
        open_leases(url) as elsewhere,
        running_desk(simulated, tmp_path, embedder, warm_classifier, leases=leases) as desk,
    ):
        await desk.connected()
        asking = asyncio.create_task(until_led(elsewhere, 0, gateway))
        await asyncio.sleep(0.5)
        async with frozen_beats(leases):
            await cut_holder(new_postgres_url)
            await asyncio.sleep(1.5)
        assert await asyncio.wait_for(asking, PATIENCE) == 0
        await until_true(lambda: len(gateway.identifies) == 2, "the bot to lead again", PATIENCE)


async def until_led(leases: AdvisoryLeases, number: int, gateway: Gateway) -> int:
    """Lead for a moment; gives how many were connected then."""
    async with leases.lead(number):
        return len(gateway.connected)


async def test_a_holder_whose_server_does_not_answer_any_more_loses_the_lease(url: str, new_postgres_url: str) -> None:
    async with open_leases(url) as leases, leases.lead(7) as lease:
        async with frozen_beats(leases):
            await asyncio.wait_for(lease.lost(), PATIENCE)
        # The late answer must not bring back a session that still has the lock without a holder.
        async with leading(leases, 8):
            assert await holders(new_postgres_url) == 1


@asynccontextmanager
async def frozen_beats(leases: AdvisoryLeases) -> AsyncIterator[None]:
    """The next query on the leases' connection is not answered: another statement keeps the session busy."""
    connection = leases._connection
    assert connection
    async with connection.lock:
        yield


async def cut_holder(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database "
            "WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND datname = current_database()"
        )


async def holders(url: str) -> int:
    """Leases that are held on this database now."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        found = await connection.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
            "WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND datname = current_database()"
        )
        row = await found.fetchone()
        assert row
        return int(row[0])
