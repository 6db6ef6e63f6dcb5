"""What people wrote while the session was lost, or the desk was down: read afterwards, answered once."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import discord
import pytest

from graph.triage.classifier import Classifier
from storage.clock import now
from storage.embeddings.protocol import Embedder
from storage.records import ConversationStatus
from tests.simulators.discord.desk import (
    DiscordDesk,
    Server,
    found,
    running_desk,
)
from tests.support.rows import database_of
from tests.support.waiting import until_true

pytest_plugins = ["tests.simulators.discord.fixtures"]

QUESTION, BROWSERS = "How do I reset my password?", "Which browsers are supported?"
Opened = Callable[[], AbstractAsyncContextManager[DiscordDesk]]


@pytest.fixture
def started(simulated: Server, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier) -> Opened:
    """Starts the desk; again is after a restart."""

    @asynccontextmanager
    async def start() -> AsyncIterator[DiscordDesk]:
        async with running_desk(simulated, tmp_path, embedder, warm_classifier) as desk:
            await desk.connected()
            await found(
                lambda: desk.store.channels.read_cursors.read_until("discord", simulated.guild.id),
                "the server to be caught up",
            )
            yield desk

    return start


async def test_mentions_in_ordinary_channels_are_answered_after_a_lost_session(started: Opened) -> None:
    async with started() as desk:
        server = desk.server
        await desk.simulator.gateway.invalidate()
        mention = server.ann.mention(server.general, QUESTION)
        chat = server.carl.say(server.general, "Nice weather today.")
        assert "Forgot password" in (await desk.said(mention["id"]))[0]["content"]
        await desk.process.jobs.idle()
        assert len(desk.simulator.said_by_bot(mention["id"])) == 1
        assert await desk.store.conversations.threads.of_message("demo", "discord", chat["id"]) is None


async def test_what_was_asked_while_the_desk_was_down_is_answered_at_its_start(started: Opened) -> None:
    async with started() as desk:
        server = desk.server
        before = server.ann.mention(server.general, QUESTION)
        (reply,) = await desk.said(before["id"])
        own = desk.simulator.world.add_thread(server.general, server.carl.id, "People among themselves")
        server.carl.say(own, "What do you think?")
    mention = server.carl.mention(server.general, BROWSERS)
    inside = server.carl.mention(own, "How do I export my data?")
    async with started() as desk:
        assert "Chrome" in (await desk.said(mention["id"]))[0]["content"]
        assert "Export" in (await desk.said(own))[0]["content"]
        await desk.process.jobs.idle()
        assert desk.simulator.said_by_bot(before["id"]) == [reply]
        assert await desk.store.conversations.threads.of_message("demo", "discord", inside["id"])


async def test_what_was_said_before_the_desk_came_is_not_its_own(simulated: Server, started: Opened) -> None:
    old = simulated.ann.mention(simulated.general, QUESTION)
    async with started() as desk:
        new = simulated.ann.mention(simulated.general, BROWSERS)
        assert await desk.said(new["id"])
        assert old["id"] not in desk.simulator.world.channels


async def test_only_channels_with_news_are_read(started: Opened, simulated: Server) -> None:
    world = simulated.simulator.world
    quiet = world.add_channel(simulated.guild, "quiet")
    an_hour_ago = discord.utils.time_snowflake(now() - timedelta(hours=1))
    world.add_message(quiet["id"], simulated.ann.id, "Long ago.", id=str(an_hour_ago))
    async with started() as desk:
        server = desk.server
        await desk.simulator.gateway.invalidate()
        mention = server.ann.mention(server.general, QUESTION)
        await desk.said(mention["id"])
        read = [
            path for path in desk.simulator.limits.requests if path.startswith("GET") and path.endswith("/messages")
        ]
        assert any(server.general["id"] in path for path in read)
        assert not any(quiet["id"] in path for path in read)


async def test_a_message_that_could_not_be_kept_is_read_by_the_next_session(started: Opened) -> None:
    async with started() as desk:
        server = desk.server
        async with database_of(desk.store).write() as connection:
            await connection.exec_driver_sql("ALTER TABLE messages RENAME TO hidden")
        mention = server.ann.mention(server.general, QUESTION)
        await until_true(lambda: "could not be handled" in desk.states.of("discord").last_error, "the failure")
        async with database_of(desk.store).write() as connection:
            await connection.exec_driver_sql("ALTER TABLE hidden RENAME TO messages")
        await desk.simulator.gateway.invalidate()
        assert "Forgot password" in (await desk.said(mention["id"]))[0]["content"]


async def test_staff_who_wrote_meanwhile_have_taken_over(started: Opened) -> None:
    async with started() as desk:
        server = desk.server
        mention = server.ann.mention(server.general, QUESTION)
        await desk.said(mention["id"])
        thread = desk.simulator.world.channels[mention["id"]]
    server.sue.say(thread, "I have a better idea, Ann.")
    server.ann.say(thread, BROWSERS)
    async with started() as desk:

        async def taken() -> bool:
            return (await desk.conversation(thread)).status is ConversationStatus.ASSIGNED

        await found(taken, "the take-over")
        await desk.process.jobs.idle()
        assert len(desk.simulator.said_by_bot(thread)) == 1
        assert (await desk.conversation(thread)).assignee_name == "Sue"
