"""What every process says of its chat connections is known to the others, on both databases."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.channel_status import ChannelStatusRegistry, merged
from storage.clock import now
from storage.cluster.channel_status import STALE_AFTER, ChannelStatusTable, shared_channel_status
from storage.database.engine import Database
from storage.database.tables import channel_statuses
from storage.records import ChannelState
from tests.support.waiting import until

PATIENCE = 60.0


async def test_the_others_know_what_a_process_told_last_and_itself_is_not_among_them(database: Database) -> None:
    one, other = ChannelStatusTable(database), ChannelStatusTable(database)
    at = now()
    await one.write([ChannelState("slack", is_on=True), ChannelState("discord", last_error="no", last_error_at=at)])
    await one.write([ChannelState("slack", is_on=True, connected_since=at, last_event_at=at)])
    told = {state.channel: state for state in await other.read_others()}
    assert told["slack"] == ChannelState("slack", is_on=True, connected_since=at, last_event_at=at)
    assert told["discord"].last_error == "no"
    assert await one.read_others() == ()


async def test_a_process_that_left_or_fell_silent_has_no_connections(database: Database) -> None:
    left, killed, watching = ChannelStatusTable(database), ChannelStatusTable(database), ChannelStatusTable(database)
    await left.write([ChannelState("slack", is_on=True)])
    await killed.write([ChannelState("discord", is_on=True)])
    assert len(await watching.read_others()) == 2
    await left.leave()
    async with database.write() as connection:
        await connection.execute(
            update(channel_statuses).values(heartbeat_at=now() - STALE_AFTER - timedelta(seconds=1))
        )
    assert await watching.read_others() == ()


async def test_states_travel_between_processes_while_they_run(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("one process has SQLite to itself")
    bot, web = ChannelStatusRegistry(), ChannelStatusRegistry()

    async def shown() -> ChannelState | None:
        return next((state for state in web.all() if state.connected_since), None)

    async def gone() -> bool:
        return not web.all()

    async with shared_channel_status(database, web.own, web.update_elsewhere):
        async with shared_channel_status(database, bot.own, bot.update_elsewhere):
            bot.connected("discord")
            bot.event("discord")
            state = await until(shown, PATIENCE)
            assert state.channel == "discord"
            assert state.last_event_at == bot.of("discord").last_event_at
        await until(gone, PATIENCE)


async def test_sharing_goes_on_when_the_database_was_away(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("one process has SQLite to itself")
    bot, web = ChannelStatusRegistry(), ChannelStatusRegistry()

    async def shown() -> bool:
        return bool(web.all())

    async with (
        shared_channel_status(database, web.own, web.update_elsewhere),
        shared_channel_status(database, bot.own, bot.update_elsewhere),
    ):
        async with database.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE channel_statuses RENAME TO hidden")
        bot.starting("slack")
        await asyncio.sleep(3)
        async with database.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE hidden RENAME TO channel_statuses")
        await until(shown, PATIENCE)


def test_a_channel_is_connected_if_it_is_so_anywhere_and_its_newest_error_counts() -> None:
    early, late = now() - timedelta(hours=1), now()
    waiting = ChannelState("discord", last_error="old", last_error_at=early)
    leading = ChannelState("discord", is_on=True, connected_since=late, last_event_at=late)
    failing = ChannelState("discord", is_on=True, connected_since=early, last_error="new", last_error_at=late)
    shown = merged([waiting, leading, failing])
    assert shown == ChannelState(
        "discord", is_on=True, connected_since=early, last_event_at=late, last_error="new", last_error_at=late
    )
