"""One storm: people write and decide while things break; then calm, and the judge's verdict."""

import asyncio
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.types import ASGIApp

from storage.database.engine import open_database
from storage.records import DeliveryStatus, ReviewStatus, TurnStatus
from tests.chaos.desks import StormyDesk
from tests.chaos.people import (
    Agents,
    Customer,
    Tally,
    calling,
    register,
)
from tests.chaos.trail import Trail, read_trail
from tests.chaos.verdict import faults
from tests.simulators.openai import behaviours as model
from tests.simulators.openai.call import Call
from tests.support.faq import FAQ

CALM_SECONDS = 300.0
"""How long everything may take to be finished after the last fault."""
MISBEHAVIOURS: Sequence[model.Behaviour] = (
    model.status(429, retry_after=0.2),
    model.status(500),
    model.dropped,
    model.dropped_in_body,
    model.invalid_json,
    model.refusal,
    model.never,
)


@dataclass(frozen=True)
class Weather:
    """How bad it gets."""

    conversations: int
    messages: int
    """In each conversation."""
    kills: int
    cuts: int
    chroma_stops: int
    pause_seconds: float
    """Between two messages of one customer, on average."""
    fault_seconds: float
    """Between two faults, on average."""
    seed: int


@dataclass
class Report:
    """What happened."""

    desk: str
    weather: Weather
    tally: Tally
    kills: int = 0
    cut_connections: int = 0
    chroma_stops: int = 0
    seconds: float = 0.0
    calm_seconds: float = 0.0
    """From the last fault and the last message until everything was finished."""
    trail: Trail = field(default_factory=Trail)
    faults: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """A summary for people."""
        sent = sum(row["status"] == DeliveryStatus.SENT for row in self.trail.deliveries)
        return [
            f"{self.desk}: seed {self.weather.seed}, {self.seconds:.0f} s",
            f"  messages acknowledged   {len(self.tally.acknowledged)} in {len(self.tally.tokens)} conversations",
            f"  posts sent again        {self.tally.retries}",
            f"  turns, replies sent     {len(self.trail.turns)}, {sent}",
            f"  decisions, refused      {self.tally.decisions}, {self.tally.too_late}",
            f"  processes killed        {self.kills}",
            f"  connections cut         {self.cut_connections}",
            f"  Chroma stopped          {self.chroma_stops}",
            f"  all finished after      {self.calm_seconds:.0f} s of calm",
            f"  faults                  {len(self.faults)}",
            *(f"    {fault}" for fault in self.faults[:20]),
        ]


def moody(seed: int) -> Callable[[Call], ASGIApp]:
    """A chat model that fails every fourth time in one of its ways."""
    chance = random.Random(f"{seed} model")  # noqa: S311 - chance, not a secret

    def behave(call: Call) -> ASGIApp:
        chosen = chance.choice(MISBEHAVIOURS) if chance.random() < 0.25 else model.good
        return chosen(call)

    return behave


async def rage(desk: StormyDesk, weather: Weather) -> Report:
    """Let it happen; the report holds what did not hold."""
    report, began = Report(desk.name, weather, Tally()), time.monotonic()
    token = await register(desk.url, FAQ)
    agents = Agents(desk.url, token, weather.seed, report.tally)
    deciding = asyncio.create_task(agents.work())
    breaking = asyncio.create_task(_break(desk, weather, report))
    customers = [Customer(number, weather.seed, report.tally) for number in range(weather.conversations)]
    try:
        await asyncio.gather(
            breaking, *(each.write(desk.url, weather.messages, weather.pause_seconds) for each in customers)
        )
    finally:
        deciding.cancel()
        breaking.cancel()
        await asyncio.gather(deciding, breaking, return_exceptions=True)
    calm = time.monotonic()
    report.trail = await _calm_down(desk, agents)
    report.calm_seconds, report.seconds = time.monotonic() - calm, time.monotonic() - began
    report.faults = [*faults(report.trail, report.tally.acknowledged), *await _customers_see(desk, report)]
    return report


async def _break(desk: StormyDesk, weather: Weather, report: Report) -> None:
    chance = random.Random(f"{weather.seed} faults")  # noqa: S311 - chance, not a secret
    todo = ["kill"] * weather.kills + ["cut"] * weather.cuts + ["chroma"] * weather.chroma_stops
    chance.shuffle(todo)
    for fault in todo:
        await asyncio.sleep(chance.expovariate(1 / weather.fault_seconds))
        match fault:
            case "kill":
                victim = chance.choice(desk.mortal)
                await victim.end(signal.SIGKILL)
                report.kills += 1
                await victim.start()
            case "cut":
                report.cut_connections += await desk.cut_connections()
            case _ if desk.chroma is not None:
                await asyncio.to_thread(desk.chroma.stop)
                await asyncio.sleep(chance.uniform(0.5, 3))
                await asyncio.to_thread(desk.chroma.start)
                report.chroma_stops += 1
            case _:
                pass


async def _calm_down(desk: StormyDesk, agents: Agents) -> Trail:
    """Wait until nothing is left to do, with agents who decide everything."""
    database = open_database(desk.database_url)
    deadline = time.monotonic() + CALM_SECONDS
    try:
        while True:
            trail = await read_trail(database)
            if (await agents.finish() and _is_finished(trail)) or time.monotonic() > deadline:
                return trail
            await asyncio.sleep(1)
    finally:
        await database.close()


def _is_finished(trail: Trail) -> bool:
    return not (
        any(turn["status"] in (TurnStatus.QUEUED, TurnStatus.DECIDED, TurnStatus.WAITING) for turn in trail.turns)
        or any(turn["checkpointed"] for turn in trail.turns)
        or any(review["status"] == ReviewStatus.PENDING for review in trail.reviews)
        or any(delivery["status"] == DeliveryStatus.PENDING for delivery in trail.deliveries)
    )


async def _customers_see(desk: StormyDesk, report: Report) -> list[str]:
    """What each customer reads at the front door, against the rows."""
    found: list[str] = []
    public = {
        conversation_id: [row["text"] for row in report.trail.messages if row["conversation_id"] == conversation_id]
        for conversation_id in report.tally.tokens
    }
    async with calling(desk.url) as client:
        for conversation_id, token in report.tally.tokens.items():
            response = await client.get(
                f"/conversations/{conversation_id}", headers={"Authorization": f"Bearer {token}"}
            )
            seen = [message["text"] for message in response.json()["messages"]]
            if [text for text in public[conversation_id] if text in seen] != seen:
                found.append(f"the customer of {conversation_id} sees other messages than were kept")
    return found
