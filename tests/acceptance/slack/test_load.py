"""A busy day: 1,000 events, 30 % of them repeats, out of order, with reconnects and rate limits."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.websockets import WebSocketDisconnect

from storage.records import Mode, Place, new_id
from storage.settings import Settings
from tests.simulators.slack.desk import SlackDesk, open_slack_desk
from tests.simulators.slack.server import running_slack
from tests.simulators.slack.world import TEAM, text_of

EVENTS, REPEATS, CHANNELS, AT_ONCE = 1000, 300, 100, 16
QUESTIONS = {
    "How do I reset my password?": "Forgot password",
    "How do I export my data?": "Settings &gt; Export",
    "Which browsers are supported?": "last two versions",
}
FAULTS: dict[int, Any] = {100: "429", 200: "lose the answer", 300: "503", 400: "429", 500: "lose the answer"}


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[SlackDesk]:
    async with running_slack() as slack, open_slack_desk(settings, slack) as desk:
        for n in range(CHANNELS):
            await desk.process.store.channels.places.keep(Place("demo", "slack", TEAM, f"C{n:03d}", mode=Mode.AUTO))
        yield desk


@pytest.mark.timeout(600)
async def test_every_message_of_a_busy_day_is_answered_once_in_its_thread(desk: SlackDesk) -> None:
    dice = random.Random(7)  # noqa: S311 - a fixed order, not a secret
    written = write(desk, EVENTS - REPEATS)
    told = [(item, f"Ev{n}") for n, item in enumerate(written)]
    told += dice.choices(told, k=REPEATS)
    dice.shuffle(told)
    gate = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(tell(desk, gate, n, *one) for n, one in enumerate(told)))
    await desk.until(lambda: all(answers(desk, item) for item in written), 400)
    await desk.settled()
    assert [len(answers(desk, item)) for item in written] == [1] * len(written)
    for item in written:
        assert QUESTIONS[item["text"]] in text_of(answers(desk, item)[0])
    assert desk.slack.connections > 3
    assert not desk.world.reactions


def write(desk: SlackDesk, number: int) -> list[dict[str, Any]]:
    """Each question by somebody else, spread over the channels."""
    texts = list(QUESTIONS)
    messages = []
    for n in range(number):
        channel = f"C{n % CHANNELS:03d}"
        message = desk.person(f"U{n:04d}").writes(channel, texts[n % len(texts)])
        messages.append({**message, "channel": channel})
    return messages


def answers(desk: SlackDesk, item: dict[str, Any]) -> list[dict[str, Any]]:
    return desk.world.replies(item["channel"], item["ts"])


async def tell(desk: SlackDesk, gate: asyncio.Semaphore, number: int, item: dict[str, Any], event_id: str) -> None:
    """Tell of a message until the app has acknowledged it, as Slack does; now and then something goes wrong."""
    async with gate:
        if number % 250 == 125:
            await (desk.slack.renew() if number % 500 == 125 else desk.slack.drop())
        if number in FAULTS:
            desk.world.faults["chat.postMessage"].append(FAULTS[number])
        person = desk.person(item["user"])
        payload = person.envelope({**person.event_of(item["channel"], item)}, event_id)
        for attempt in range(20):
            envelope = {"type": "events_api", "envelope_id": new_id(), "payload": payload, "retry_attempt": attempt}
            try:
                await desk.slack.send(envelope, seconds=20.0)
            except (TimeoutError, RuntimeError, WebSocketDisconnect):
                await asyncio.sleep(0.5)
                continue
            return
        raise AssertionError("never acknowledged")
