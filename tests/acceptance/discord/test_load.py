"""A thousand events with repeats, out of order, through reconnects and rate limits: each message answered once."""

import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from storage.database.tables import messages
from storage.errors import StaleError
from storage.records import Author, Decision, DecisionKind, Message, ReviewStatus
from tests.simulators.discord.desk import DiscordDesk, found
from tests.simulators.discord.limits import Fault
from tests.simulators.discord.people import Person
from tests.simulators.discord.world import Payload
from tests.support.rows import database_of, is_delivered
from tests.support.waiting import until_true

pytest_plugins = ["tests.simulators.discord.fixtures"]

EVENTS, REPEATS, BATCH = 1000, 0.3, 100
BY_HAND = Decision(kind=DecisionKind.EDIT, text="Written by hand.")
QUESTIONS = (
    "How do I reset my password?",
    "How do I export my data?",
    "Which browsers are supported?",
    "I forgot my password",
)


@dataclass
class Crowd:
    """Customers who write in posts, in threads that their mentions opened, and in direct messages."""

    desk: DiscordDesk
    random: random.Random
    said: Counter[str] = field(default_factory=Counter)
    """Messages per thread."""
    owners: dict[str, Person] = field(default_factory=dict)
    mentions: list[str] = field(default_factory=list)

    def write(self, *, served_only: bool) -> None:
        """One message by somebody."""
        known = [thread for thread in self.owners if thread in self.desk.simulator.world.channels]
        if known and self.random.random() < 0.7:
            thread = self.random.choice(known)
            self._say(self.owners[thread], self.desk.simulator.world.channels[thread])
        else:
            self._begin(served_only=served_only)

    def _begin(self, *, served_only: bool) -> None:
        """A new matter; while nobody listens only where the desk will look."""
        person = self.desk.simulator.person(f"customer{len(self.owners)}", self.desk.server.guild)
        match self.random.choice(("post",) if served_only else ("post", "mention", "direct")):
            case "post":
                question = self.random.choice(QUESTIONS)
                thread = person.post(self.desk.server.forum, question, "Please help.")
                self._note(person, thread["id"])
            case "mention":
                message = person.mention(self.desk.server.general, self.random.choice(QUESTIONS))
                self._note(person, message["id"])
            case _:
                self._say(person, person.direct)

    def _say(self, person: Person, channel: Payload) -> None:
        person.say(channel, self.random.choice(QUESTIONS))
        self._note(person, channel["id"])

    def _note(self, person: Person, thread: str) -> None:
        self.said[thread] += 1
        self.owners[thread] = person


async def trouble(desk: DiscordDesk, batch: int) -> None:
    """What Discord does to the connection between two batches."""
    faults = desk.simulator.limits.faults
    faults += [Fault("429", seconds=0.05), Fault("lose the answer"), Fault("429 global", seconds=0.05)]
    match batch % 4:
        case 1:
            desk.simulator.gateway.cut()
        case 2:
            await desk.simulator.gateway.ask_reconnect()
        case 3:
            faults.append(Fault("502"))


def in_disorder(chance: random.Random, count: int) -> list[int]:
    """Every position at least once, three in ten twice, near their place but not in it."""
    order = [*range(count), *chance.sample(range(count), int(count * REPEATS / (1 - REPEATS)))]
    return sorted(order, key=lambda position: position + chance.uniform(0, 30))


@pytest.mark.timeout(600)
async def test_a_thousand_events_are_answered_once_each_in_their_threads(desk: DiscordDesk) -> None:
    desk.simulator.limits.rules["messages"] = (5, 0.5)
    crowd = Crowd(desk, random.Random(7))  # noqa: S311 - a test must be the same every time
    gateway, events = desk.simulator.gateway, 0
    for batch in range(20):
        if events >= EVENTS:
            break
        gateway.hold()
        for _ in range(int(BATCH * (1 - REPEATS))):
            crowd.write(served_only=False)
        order = in_disorder(crowd.random, len(gateway.held))
        events += len(order)
        gateway.release(order)
        await trouble(desk, batch)
    await gateway.invalidate()
    for _ in range(20):
        crowd.write(served_only=True)
    await until_true(lambda: bool(gateway.connected), "a new session")
    await found(lambda: kept(desk, crowd), "every message to be kept", 240)
    await found(lambda: quiet(desk, crowd), "every message to be answered", 240)
    assert events >= EVENTS
    assert desk.simulator.limits.refused > 5
    for thread in crowd.said:
        await answered_in_its_thread(desk, thread)


def as_shown(message: Message) -> str:
    return f"**Alex Agent:**\n{message.text}" if message.author is Author.AGENT else message.text


async def rows(desk: DiscordDesk, author: str) -> list[tuple[str, str | None]]:
    """(external id, turn) of the messages of an author."""
    query = select(messages.c.external_id, messages.c.turn_id).where(messages.c.author == author)
    async with database_of(desk.store).read() as connection:
        return [(row[0], row[1]) for row in await connection.execute(query)]


async def kept(desk: DiscordDesk, crowd: Crowd) -> bool:
    return len(await rows(desk, "customer")) == crowd.said.total()


async def quiet(desk: DiscordDesk, crowd: Crowd) -> bool:
    """Every message has its turn, and everything is delivered; what the bot would not say alone, the agent writes."""
    for review in (await desk.store.conversations.reviews.page("demo", ReviewStatus.PENDING, limit=200)).items:
        with contextlib.suppress(StaleError):
            await desk.process.desk.decide(desk.agent, review.id, BY_HAND, based_on=review.version)
    await desk.process.jobs.idle()
    answered = [turn for _, turn in await rows(desk, "customer") if turn]
    return len(answered) == crowd.said.total() and await is_delivered(desk.store)


async def answered_in_its_thread(desk: DiscordDesk, thread: str) -> None:
    """The thread shows exactly what the desk says it sent, in that order, and nothing twice."""
    sent = [message for message in await desk.messages(thread) if message.author != "customer"]
    shown = desk.simulator.said_by_bot(thread)
    assert sent
    assert [message["content"] for message in shown] == [as_shown(message) for message in sent]
    buttons = [str(message["components"]) for message in shown if message["components"]]
    assert len(set(buttons)) == len(buttons)
