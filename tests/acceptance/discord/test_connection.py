"""The gateway connection: what is refused, lost, resumed or missed, and who leads which shard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.discord.connection.leases import LocalLeases
from graph.triage.classifier import Classifier
from storage.embeddings.protocol import Embedder
from tests.simulators.discord.desk import (
    DiscordDesk,
    Server,
    running_desk,
)
from tests.simulators.discord.world import Payload
from tests.support.waiting import until_true

pytest_plugins = ["tests.simulators.discord.fixtures"]

QUESTION = "How do I reset my password?"
NEEDED_INTENTS = 1 << 0 | 1 << 9 | 1 << 12 | 1 << 15


@asynccontextmanager
async def opened(
    simulated: Server, folder: Path, embedder: Embedder, classifier: Classifier, **discord: object
) -> AsyncIterator[DiscordDesk]:
    """A desk that may not get connected."""
    async with running_desk(simulated, folder, embedder, classifier, discord=discord) as desk:
        yield desk


async def served(desk: DiscordDesk) -> Payload:
    """A thread with one answered question."""
    mention = desk.server.ann.mention(desk.server.general, QUESTION)
    await desk.said(mention["id"])
    return desk.simulator.world.channels[mention["id"]]


async def test_it_asks_for_the_intents_it_needs_and_no_more(desk: DiscordDesk) -> None:
    (identify,) = desk.simulator.gateway.identifies
    assert identify["intents"] == NEEDED_INTENTS
    await until_true(lambda: bool(desk.simulator.rest.commands), "the commands")
    names = {command["name"] for command in desk.simulator.rest.commands}
    assert names == {"ask", "support", "status", "takeover", "handback", "resolve"}


async def test_without_message_content_one_line_says_what_to_do_and_the_desk_runs(
    simulated: Server, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    simulated.simulator.gateway.allowed_intents = 0
    async with opened(simulated, tmp_path, embedder, warm_classifier) as desk:
        await until_true(lambda: not desk.states.of("discord").is_on, "the channel to be off")
        await until_true(lambda: "Message Content is not granted" in desk.states.of("discord").last_error, "the reason")
        assert await desk.store.accounts.workspaces.all()
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_wrong_token_is_one_line_and_the_desk_runs(
    simulated: Server, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier
) -> None:
    async with opened(simulated, tmp_path, embedder, warm_classifier, bot_token="wrong") as desk:
        await until_true(lambda: "DISCORD_BOT_TOKEN" in desk.states.of("discord").last_error, "the reason")
        assert not desk.states.of("discord").is_on
        assert len(simulated.simulator.limits.requests) == 1


async def test_without_a_token_the_channel_is_off(
    simulated: Server, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier
) -> None:
    async with opened(simulated, tmp_path, embedder, warm_classifier, bot_token="") as desk:
        assert not desk.states.of("discord").is_on
        assert desk.states.of("discord").last_error == ""
        assert simulated.simulator.limits.requests == []


async def test_a_lost_connection_is_resumed_and_nothing_is_missed(desk: DiscordDesk) -> None:
    desk.simulator.gateway.cut()
    mention = desk.server.ann.mention(desk.server.general, QUESTION)
    assert "Forgot password" in (await desk.said(mention["id"]))[0]["content"]
    assert desk.simulator.gateway.resumes == 1
    assert len(desk.simulator.gateway.identifies) == 1


async def test_a_request_to_reconnect_is_followed(desk: DiscordDesk) -> None:
    await desk.simulator.gateway.ask_reconnect()
    await until_true(lambda: desk.simulator.gateway.resumes == 1, "the resume")
    mention = desk.server.ann.mention(desk.server.general, QUESTION)
    assert await desk.said(mention["id"])


async def test_what_a_lost_session_missed_is_read_in_the_threads_it_serves(desk: DiscordDesk) -> None:
    thread = await served(desk)
    await desk.simulator.gateway.invalidate()
    # Nobody is connected now, and a new session replays nothing.
    desk.server.ann.say(thread, "Which browsers are supported?")
    post = desk.server.carl.post(desk.server.forum, "Export", "How do I export my data?")
    assert "Chrome" in (await desk.said(thread, 2))[-1]["content"]
    assert await desk.said(post)
    assert len(desk.simulator.gateway.identifies) == 2
    await desk.process.jobs.idle()
    assert len(desk.simulator.said_by_bot(thread)) == 2


async def test_what_came_while_the_desk_was_down_is_read_at_its_start(
    simulated: Server, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier
) -> None:
    async with running_desk(simulated, tmp_path, embedder, warm_classifier) as desk:
        await desk.connected()
        thread = await served(desk)
        simulated.ann.say(simulated.ann.direct, QUESTION)
        await desk.said(simulated.ann.direct)
    simulated.ann.say(thread, "Which browsers are supported?")
    simulated.ann.say(simulated.ann.direct, "How do I export my data?")
    async with running_desk(simulated, tmp_path, embedder, warm_classifier) as desk:
        assert "Chrome" in (await desk.said(thread, 2))[-1]["content"]
        assert "Export" in (await desk.said(simulated.ann.direct, 2))[-1]["content"]
        await desk.process.jobs.idle()
        assert len(desk.simulator.said_by_bot(thread)) == 2


async def test_each_shard_hears_its_own_servers(
    simulated: Server, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier
) -> None:
    simulator = simulated.simulator
    simulator.set_shards(2)
    other = Server(simulator, "Beta")
    while _shard(other) == _shard(simulated):
        await asyncio.sleep(0.002)
        other = Server(simulator, "Beta")
    async with opened(simulated, tmp_path, embedder, warm_classifier) as desk:
        await until_true(lambda: len(simulator.gateway.connected) == 2, "both shards")
        first = simulated.ann.mention(simulated.general, QUESTION)
        second = other.ann.mention(other.general, QUESTION)
        assert await desk.said(first["id"])
        assert await desk.said(second["id"])
        assert sorted(tuple(identify["shard"]) for identify in simulator.gateway.identifies) == [(0, 2), (1, 2)]


def _shard(simulated: Server) -> int:
    return (int(simulated.guild.id) >> 22) % 2


async def test_one_process_leads_a_shard_and_another_follows_when_it_ends(
    simulated: Server, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier
) -> None:
    leases, simulator = LocalLeases(), simulated.simulator
    gone = asyncio.Event()

    async def first() -> None:
        async with running_desk(simulated, tmp_path / "one", embedder, warm_classifier, leases=leases) as desk:
            await desk.connected()
            await gone.wait()

    leading = asyncio.create_task(first())
    await until_true(lambda: len(simulator.gateway.identifies) == 1, "the first leader")
    async with running_desk(simulated, tmp_path / "two", embedder, warm_classifier, leases=leases) as desk:
        await asyncio.sleep(0.5)
        assert len(simulator.gateway.identifies) == 1
        gone.set()
        await leading
        await desk.connected()
        assert len(simulator.gateway.identifies) == 2


async def test_a_server_of_nobody_hears_one_sentence_and_nothing_else(
    simulated: Server, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier
) -> None:
    async with running_desk(simulated, tmp_path, embedder, warm_classifier, home=False) as desk:
        (sentence,) = await desk.said(desk.server.general)
        assert f"deskhand channel bind discord {desk.server.guild.id}" in sentence["content"]
        desk.server.ann.mention(desk.server.general, QUESTION)
        desk.server.ann.post(desk.server.forum, "Password", QUESTION)
        await asyncio.sleep(0.5)
        await desk.process.jobs.idle()
        assert (await desk.store.conversations.reading.page("demo")).items == ()
    async with running_desk(simulated, tmp_path, embedder, warm_classifier, home=False) as desk:
        await desk.connected()
        await asyncio.sleep(0.5)
        assert len(await desk.said(desk.server.general)) == 1, "said once, also after a restart"
        await desk.store.channels.installations.bind("demo", "discord", desk.server.guild.id)
        mention = desk.server.ann.mention(desk.server.general, QUESTION)
        assert "Forgot password" in (await desk.said(mention["id"]))[0]["content"]
