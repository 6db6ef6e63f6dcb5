"""The working sign: shown again before it fades, as long as the work lasts, and then taken away."""

import asyncio

from bot.typing_indicator import TypingIndicators
from storage.conversations.outbox import Outgoing
from storage.records import ChannelName, Conversation, Incoming
from storage.store import Store
from tests.simulators.discord.desk import until


class Lamp:
    """A channel that notes its sign."""

    name: ChannelName = "discord"
    idempotent = True

    def __init__(self) -> None:
        self.shown: list[bool] = []

    async def send(self, outgoing: Outgoing) -> str | None:
        raise NotImplementedError

    async def show_typing(self, conversation: Conversation, *, on: bool) -> None:  # noqa: ARG002
        self.shown.append(on)


async def asked(store: Store, number: int) -> Conversation:
    """A conversation whose turn waits."""
    accepted = await store.conversations.intake.accept(Incoming("demo", "discord", f"m{number}", "t", "c", "Hello?"), 0)
    return await store.conversations.reading.read("demo", accepted.conversation_id)


async def test_a_sign_that_fades_is_shown_again_until_the_work_ends(store: Store) -> None:
    lamp, signs = Lamp(), TypingIndicators(store.conversations.reading, store.cluster.events, refresh_seconds=0.01)
    conversation = await asked(store, 1)
    signs.show(lamp, conversation)
    await until(lambda: len(lamp.shown) > 3, "the sign")
    assert all(lamp.shown)
    await store.conversations.edits.delete("demo", "discord", "m1", 0)
    await until(lambda: not lamp.shown[-1], "the sign")
    await asyncio.sleep(0.05)
    assert lamp.shown.count(False) == 1
    await signs.close()


async def test_news_that_the_work_is_done_takes_the_sign_away_at_once_and_twice_shown_is_once(store: Store) -> None:
    lamp, signs = Lamp(), TypingIndicators(store.conversations.reading, store.cluster.events, refresh_seconds=60)
    conversation = await asked(store, 1)
    signs.show(lamp, conversation)
    signs.show(lamp, conversation)
    await until(lambda: bool(lamp.shown), "the sign")
    await store.conversations.edits.delete("demo", "discord", "m1", 0)
    store.cluster.events.publish(conversation.id)
    await until(lambda: not lamp.shown[-1], "the sign")
    assert lamp.shown == [True, False]
    await signs.close()


async def test_a_stopping_process_takes_its_signs_away(store: Store) -> None:
    lamp, signs = Lamp(), TypingIndicators(store.conversations.reading, store.cluster.events, refresh_seconds=60)
    signs.show(lamp, await asked(store, 1))
    await until(lambda: bool(lamp.shown), "the sign")
    await signs.close()
    assert lamp.shown == [True, False]
