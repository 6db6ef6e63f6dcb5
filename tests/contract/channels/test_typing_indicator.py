"""Typing indicators: shown again before it fades, as long as the work lasts, and then taken away."""

import asyncio

from bot.typing_indicator import TypingIndicators
from storage.conversations.outbox import Outgoing
from storage.records import ChannelName, Conversation, Incoming
from storage.store import Store
from tests.support.waiting import until_true


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


async def test_an_indicator_that_fades_is_shown_again_until_the_work_ends(store: Store) -> None:
    lamp, indicators = Lamp(), TypingIndicators(store.conversations.reading, store.cluster.events, refresh_seconds=0.01)
    conversation = await asked(store, 1)
    indicators.show(lamp, conversation)
    await until_true(lambda: len(lamp.shown) > 3, "the indicator")
    assert all(lamp.shown)
    await store.conversations.edits.delete("demo", "discord", "m1", 0)
    await until_true(lambda: not lamp.shown[-1], "the indicator")
    await asyncio.sleep(0.05)
    assert lamp.shown.count(False) == 1
    await indicators.close()


async def test_news_that_the_work_is_done_takes_the_indicator_away_at_once_and_twice_shown_is_once(
    store: Store,
) -> None:
    lamp, indicators = Lamp(), TypingIndicators(store.conversations.reading, store.cluster.events, refresh_seconds=60)
    conversation = await asked(store, 1)
    indicators.show(lamp, conversation)
    indicators.show(lamp, conversation)
    await until_true(lambda: bool(lamp.shown), "the indicator")
    await store.conversations.edits.delete("demo", "discord", "m1", 0)
    store.cluster.events.publish(conversation.id)
    await until_true(lambda: not lamp.shown[-1], "the indicator")
    assert lamp.shown == [True, False]
    await indicators.close()


async def test_a_stopping_process_takes_its_indicators_away(store: Store) -> None:
    lamp, indicators = Lamp(), TypingIndicators(store.conversations.reading, store.cluster.events, refresh_seconds=60)
    indicators.show(lamp, await asked(store, 1))
    await until_true(lambda: bool(lamp.shown), "the indicator")
    await indicators.close()
    assert lamp.shown == [True, False]
