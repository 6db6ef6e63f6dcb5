"""Delivery through the real discord.py over real sockets: exactly once, whole, harmless."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.discord.channel import DiscordChannel
from bot.discord.connection.client import DeskClient, use_api_url
from bot.discord.replies.rendering import nonce_of, parts_of
from bot.errors import ChannelError
from storage.conversations.outbox import Outgoing
from storage.records import Author, Citation, Draft, Message, Visibility, new_id
from storage.store import Store
from tests.simulators.discord.limits import Fault, Kind
from tests.simulators.discord.people import labels_of
from tests.simulators.discord.server import TOKEN, DiscordSimulator
from tests.simulators.discord.world import Payload


@pytest.fixture
async def simulator() -> AsyncIterator[DiscordSimulator]:
    async with DiscordSimulator() as simulator:
        yield simulator


@pytest.fixture
def thread(simulator: DiscordSimulator) -> Payload:
    guild = simulator.world.add_guild("Acme")
    general = simulator.world.add_channel(guild, "general")
    return simulator.world.add_thread(general, simulator.person("ann", guild).id, "Question")


@pytest.fixture
async def channel(simulator: DiscordSimulator, store: Store) -> AsyncIterator[DiscordChannel]:
    async with logged_in(simulator, store) as channel:
        yield channel


@pytest.fixture
def database_url() -> str:
    """SQLite alone: nothing here depends on the database."""
    return ""


@asynccontextmanager
async def logged_in(simulator: DiscordSimulator, store: Store) -> AsyncIterator[DiscordChannel]:
    """A channel whose client is logged in, as in a worker without a gateway connection."""
    channel = DiscordChannel(store.conversations.reading)
    use_api_url(simulator.api_url)
    client = DeskClient()
    try:
        await client.login(TOKEN)
        channel.client = client
        yield channel
    finally:
        await client.close()


def outgoing(
    thread: Payload, text: str, *, attempts: int = 0, author: Author = Author.BOT, **draft: object
) -> Outgoing:
    made = Draft.model_validate({"text": text, **draft}) if author is Author.BOT else None
    message = Message(
        new_id(), "demo", "c" * 32, 2, author, Visibility.PUBLIC, text, datetime.now(UTC), "m", "Alex", made
    )
    return Outgoing(
        delivery_id=new_id(),
        workspace_id="demo",
        conversation_id="c" * 32,
        channel="discord",
        thread=thread["id"],
        customer_external_id="1",
        message=message,
        attempts=attempts,
        not_before=datetime.now(UTC),
        more=False,
    )


async def test_a_reply_has_its_sources_and_its_buttons(
    simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload
) -> None:
    said = Citation(chunk_id="1", document_id="2", title="Reset", text="Click it.", url="https://help.example/a_(b)")
    more = Citation(chunk_id="3", document_id="2", title="A [b] *c* @here", text="Call\nus @everyone.")
    reply = outgoing(thread, "Click it.", citations=(said, said, more), follow_ups=("And then?", "x" * 200))
    assert await channel.send(reply) == simulator.messages(thread)[0]["id"]
    (shown,) = simulator.messages(thread)
    linked, plain, passage = shown["embeds"][0]["description"].split("\n")
    assert linked == "**[Reset](https://help.example/a_%28b%29)**"
    assert plain == "**A (b) \\*c\\* @\u200bhere**"
    assert passage == "> Call us @\u200beveryone."
    assert labels_of(shown) == ["👍", "👎", "Talk to a person", "Solved", "And then?", "x" * 79 + "…"]


async def test_mentions_call_nobody(simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload) -> None:
    await channel.send(outgoing(thread, "Hello @everyone and <@1> and <@&2>"))
    (shown,) = simulator.messages(thread)
    assert shown["allowed_mentions"] == {"parse": []}
    assert "@everyone" not in shown["content"]
    assert "<@1>" not in shown["content"]


async def test_a_long_reply_is_split_without_breaking_code(
    simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload
) -> None:
    code = "\n".join(f"line {n} of the listing" for n in range(150))
    await channel.send(outgoing(thread, f"See:\n\n```python\n{code}\n```\n\nThat is all."))
    shown = simulator.messages(thread)
    assert len(shown) > 1
    assert all(len(message["content"]) <= 2000 for message in shown)
    assert all(message["content"].count("```") % 2 == 0 for message in shown)
    assert [bool(message["components"]) for message in shown] == [False] * (len(shown) - 1) + [True]
    told = "\n".join(message["content"] for message in shown)
    assert all(f"line {n} of" in told for n in range(150))


def test_every_part_has_its_own_nonce_and_the_same_at_every_try() -> None:
    reply = outgoing({"id": "1"}, "word " * 2000)
    nonces = [part.nonce for part in parts_of(reply)]
    assert len(set(nonces)) == len(nonces) > 4
    assert nonces == [part.nonce for part in parts_of(replace(reply, attempts=3))]
    assert all(len(nonce) <= 25 for nonce in nonces)
    assert nonce_of("a/1") != nonce_of("a/2")


async def test_a_retry_after_a_lost_answer_shows_one_message(
    simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload
) -> None:
    simulator.limits.faults.append(Fault("lose the answer"))
    reply = outgoing(thread, "Once.")
    with pytest.raises(ChannelError) as failure:
        await channel.send(reply)
    assert not failure.value.permanent
    assert await channel.send(replace(reply, attempts=1)) == simulator.messages(thread)[0]["id"]
    assert simulator.texts(thread) == ["Once."]


async def test_the_nonce_alone_keeps_a_second_message_out(
    simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload
) -> None:
    reply = outgoing(thread, "Once.")
    first = await channel.send(reply)
    assert await channel.send(reply) == first
    assert simulator.texts(thread) == ["Once."]


async def test_a_retry_when_discord_has_forgotten_the_nonce_looks_first(
    simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload
) -> None:
    simulator.rest.nonce_seconds = 0
    text = "\n\n".join(f"Paragraph {n}. " + "word " * 150 for n in range(6))
    reply = outgoing(thread, text)
    parts = len(parts_of(reply))
    # The second part's answer is lost: the third has never been sent.
    simulator.limits.faults += [Fault("slow", seconds=0), Fault("lose the answer")]
    with pytest.raises(ChannelError):
        await channel.send(reply)
    assert len(simulator.messages(thread)) == 2
    await channel.send(replace(reply, attempts=1))
    assert len(simulator.messages(thread)) == parts
    await channel.send(replace(reply, attempts=2))
    assert len(simulator.messages(thread)) == parts


async def test_the_same_words_in_another_reply_are_another_message(
    simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload
) -> None:
    simulator.rest.nonce_seconds = 0
    await channel.send(outgoing(thread, "Yes.", author=Author.AGENT))
    await channel.send(outgoing(thread, "Yes.", author=Author.AGENT, attempts=1))
    assert simulator.texts(thread) == ["**Alex:**\nYes."] * 2


@pytest.mark.parametrize("kind", ["429", "429 global", "502", "slow"])
async def test_the_library_waits_out_limits_and_hiccups(
    kind: Kind, simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload
) -> None:
    simulator.limits.faults.append(Fault(kind, seconds=0.2))
    await channel.send(outgoing(thread, "Here."))
    assert simulator.texts(thread) == ["Here."]


async def test_more_than_five_messages_keep_discords_pace(
    simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload
) -> None:
    simulator.limits.rules["messages"] = (3, 0.5)
    for n in range(7):
        await channel.send(outgoing(thread, f"Part {n}"))
    assert simulator.texts(thread) == [f"Part {n}" for n in range(7)]
    assert simulator.limits.refused == 0


@pytest.mark.parametrize(
    ("kind", "seconds", "waits"), [("429", 120.0, 120.0), ("cloudflare", 0.0, 60.0), ("503", 0.0, None)]
)
async def test_a_long_wait_is_given_back_to_the_job(
    kind: Kind,
    seconds: float,
    waits: float | None,
    simulator: DiscordSimulator,
    channel: DiscordChannel,
    thread: Payload,
) -> None:
    simulator.limits.faults.append(Fault(kind, seconds=seconds))
    with pytest.raises(ChannelError) as failure:
        await channel.send(outgoing(thread, "Later."))
    assert (failure.value.retry_after, failure.value.permanent) == (waits, False)


async def test_no_permission_and_no_channel_are_permanent(
    simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload
) -> None:
    simulator.rest.forbidden.add(thread["id"])
    with pytest.raises(ChannelError, match="Missing Permissions") as failure:
        await channel.send(outgoing(thread, "No."))
    assert failure.value.permanent
    ann = simulator.person("ann")
    simulator.world.closed_to_direct.add(ann.id)
    with pytest.raises(ChannelError, match="Cannot send messages to this user") as closed:
        await channel.send(outgoing(ann.direct, "No."))
    assert closed.value.permanent


async def test_without_a_login_the_reply_waits(store: Store, thread: Payload) -> None:
    with pytest.raises(ChannelError) as failure:
        await DiscordChannel(store.conversations.reading).send(outgoing(thread, "Later."))
    assert failure.value.retry_after == 5.0


async def test_a_reply_deleted_right_after_it_was_sent_is_not_sent_again(
    simulator: DiscordSimulator, channel: DiscordChannel, thread: Payload
) -> None:
    reply = outgoing(thread, "Oops.")
    sent = await channel.send(reply)
    simulator.world.remove_message(thread["id"], str(sent))
    await channel.send(replace(reply, attempts=1))
    assert simulator.texts(thread) == []
