"""News reach who waits: in this process, and over a real PostgreSQL in the others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import psycopg
import pytest

from storage.cluster.events import EventBus, wait_for_event
from storage.cluster.listen_notify import MAX_PAYLOAD_BYTES, bridged_events, payloads

PATIENCE = 30.0
"""Seconds until news count as lost; machines are shared."""
Pair = Callable[[], AbstractAsyncContextManager[tuple[EventBus, EventBus]]]


@pytest.fixture(params=["one process", "two processes"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Who publishes and who listens: the same signals, or those of two processes on one PostgreSQL."""
    alone = request.param == "one process"
    url = "" if alone else f"postgresql+psycopg{request.getfixturevalue('new_postgres_url').removeprefix('postgresql')}"

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[EventBus, EventBus]]:
        here = EventBus()
        there = here if alone else EventBus()
        async with bridged_events(url, here), bridged_events(url, there):
            await meet(here, there)
            yield here, there

    return opened


async def meet(here: EventBus, there: EventBus) -> None:
    """Return when what one says is heard by the other: both are connected."""
    for speaker, hearer in ((here, there), (there, here)):
        with hearer.listen("hello", "never told") as news:
            async with asyncio.timeout(PATIENCE):
                # Being connected wakes everybody, so one waking proves nothing: both must have settled.
                for _ in range(3):
                    news.clear()
                    while not news.is_set():
                        speaker.publish("hello")
                        await wait_for_event(news, 0.1)


async def heard(news: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE):
        await news.wait()


async def test_news_of_any_key_wakes_who_listens_to_it_and_nobody_else(pair: Pair) -> None:
    async with pair() as (here, there):
        with there.listen("a", "b") as mine, there.listen("c") as other, there.listen("last") as last:
            other.clear()
            here.publish("x", "b")
            await heard(mine)
            mine.clear()
            here.publish("last")
            await heard(last)
            assert not mine.is_set()
            assert not other.is_set()


async def test_more_keys_than_one_notice_holds_all_arrive(pair: Pair) -> None:
    keys = [f"{number:032d}ü" for number in range(700)]
    async with pair() as (here, there):
        with there.listen(keys[0]) as first, there.listen(keys[350]) as middle, there.listen(keys[-1]) as last:
            here.publish(*keys)
            for news in (first, middle, last):
                await heard(news)


async def test_who_closes_wakes_everybody_and_says_so() -> None:
    signals = EventBus()
    with signals.listen("a") as news:
        assert not signals.is_closing
        signals.close()
        assert news.is_set()
        assert signals.is_closing


async def test_after_a_cut_connection_everybody_is_woken_and_news_go_on(new_postgres_url: str) -> None:
    url = f"postgresql+psycopg{new_postgres_url.removeprefix('postgresql')}"
    here, there = EventBus(), EventBus()
    async with bridged_events(url, here), bridged_events(url, there):
        await meet(here, there)
        with there.listen("never told") as news:
            await cut(new_postgres_url)
            # What was told while the line was dead is unknown: whoever waits must look.
            await heard(news)
        await meet(here, there)


async def test_news_published_while_the_line_is_cut_arrive_when_it_is_back(new_postgres_url: str) -> None:
    url = f"postgresql+psycopg{new_postgres_url.removeprefix('postgresql')}"
    here, there = EventBus(), EventBus()
    async with bridged_events(url, here), bridged_events(url, there):
        await meet(here, there)
        await cut(new_postgres_url)
        with there.listen("reconnected") as reconnected:
            await heard(reconnected)
        with there.listen("late") as news:
            here.publish("late")
            await heard(news)


async def test_who_publishes_is_not_woken_again_by_its_own_notice(new_postgres_url: str) -> None:
    url = f"postgresql+psycopg{new_postgres_url.removeprefix('postgresql')}"
    here, there = EventBus(), EventBus()
    async with bridged_events(url, here), bridged_events(url, there):
        await meet(here, there)
        with here.listen("a") as mine, there.listen("a") as theirs, here.listen("back") as back:
            here.publish("a")
            mine.clear()
            await heard(theirs)
            # The echo would have come before this answer: notices arrive in the order of their commits.
            there.publish("back")
            await heard(back)
            assert not mine.is_set()


def test_no_payload_is_longer_than_a_notice_may_be() -> None:
    keys = [f"{'ü' * 64}{number}" for number in range(500)]
    parts = payloads("me", keys)
    assert all(len(part.encode()) <= MAX_PAYLOAD_BYTES for part in parts)
    assert sum(part.count("ü" * 64) for part in parts) == len(keys)


async def cut(url: str) -> None:
    """Cut every notices connection to this database, as a restart of the server does."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        found = await connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'deskhand notices'"
        )
        assert (await found.fetchone()) == (4,)
