"""Random interleavings of customers, people, workers, failures and power cuts against a model of what must hold.

`DESKHAND_CHAOS_EXAMPLES=5000 pytest tests/contract/desk/test_desk_machine.py` runs long, and differently each time.
A driver of our own and not hypothesis' state machine: that one leaves rules out of most examples, but here nothing
happens without a customer, a worker and a person.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from storage.embeddings.batching import BatchingEmbedder
from storage.embeddings.caching import CachingEmbedder
from storage.embeddings.protocol import Embedder
from storage.records import Decision, DecisionKind
from tests.support.settings import settings_for
from tests.support.stepping import Fault
from tests.support.workers import (
    EXPORT,
    KNOWN,
    RISKY,
    Desks,
    incoming,
    load_classifier,
    open_desks,
)
from tests.support.world import World

CHAOS = int(os.environ.get("DESKHAND_CHAOS_EXAMPLES", "0"))
EXAMPLES = {"sqlite": 50, "postgres": 12}
PEOPLE_DO = ("take over", "reply", "hand back", "ask for a person", "resolve", "close")
GUIDANCE = "Tell them how to export their data"

workers = st.integers(0, 1)
which = st.integers(0, 20)
"""One of a list, counted round."""
pauses = st.one_of(st.none(), st.integers(0, 9))
"""After how many steps a job is stopped."""
Event = tuple[str, dict[str, Any]]


def event(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    """One thing that may happen: a method of `Story` and what it is called with."""
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


WRITES = event(
    "a_customer_writes",
    worker=workers,
    thread=st.sampled_from(["a", "a", "b"]),
    text=st.sampled_from([RISKY, RISKY, KNOWN, EXPORT]),
    delayed=st.sampled_from([False, False, False, True]),
)
DECIDES = event(
    "a_person_decides",
    number=st.sampled_from([0, 0, 0, 1, 2, 3]),
    kind=st.sampled_from(DecisionKind),
    behind=st.sampled_from([0, 0, 0, 0, 1]),
    agent=st.integers(0, 2),
)
TAKES = event("a_worker_takes_a_job", worker=workers, number=which, steps=pauses)
WORK = event("the_workers_do_what_they_can")
GOES_ON = event("a_job_goes_on", number=which, steps=pauses)
EVENTS = st.one_of(
    event("time_passes"),
    *[WRITES] * 4,
    *[WORK] * 4,
    *[DECIDES] * 5,
    *[TAKES] * 4,
    *[GOES_ON] * 2,
    event("an_event_comes_late_or_again", worker=workers, number=which),
    event("a_person_acts", number=which, act=st.sampled_from(PEOPLE_DO), agent=st.integers(0, 2)),
    event("a_person_acts", number=which, act=st.sampled_from(["take over", "hand back"]), agent=st.integers(0, 2)),
    event("a_job_is_given_again", worker=workers, number=which),
    event("the_rows_are_looked_through", worker=workers),
    event("a_worker_crashes", worker=workers),
    event("everything_crashes"),
    event("the_platform_will_fail", faults=st.lists(st.sampled_from(get_args(Fault)), min_size=1, max_size=3)),
)


class Story:
    """What happens to one desk; what cannot happen now does not."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def tell(self, events: list[Event]) -> None:
        """Let it all happen; in the end everything comes to rest, first with what waits for a person, then without."""
        world = self.world
        await world.clear()
        try:
            for name, arguments in events:
                note(f"{name} {arguments}")
                await getattr(self, name)(**arguments)
                await world.look()
            for written in world.told:
                await world.tell(0, written)
            await world.rest()
            for review in await world.desks.pending():
                await world.decide(review, Decision(kind=DecisionKind.EDIT, text="So be it."), review.version, 0)
            await world.rest()
        finally:
            await world.stop()

    async def a_customer_writes(self, worker: int, thread: str, text: str, delayed: bool) -> None:
        # Each text is one of its kind, so that it is seen which draft is about it.
        number = len(self.world.told)
        written = incoming(f"{text} ({number})", f"event-{number}", thread)
        self.world.told.append(written)
        if not delayed:
            await self.world.tell(worker, written)

    async def an_event_comes_late_or_again(self, worker: int, number: int) -> None:
        if told := self.world.told:
            await self.world.tell(worker, told[number % len(told)])

    async def a_person_decides(self, number: int, kind: DecisionKind, behind: int, agent: int) -> None:
        if seen := list(self.world.model.seen.values()):
            review = seen[-1 - number % len(seen)].review
            decision = Decision(kind=kind, text=f"As I say, {number}.", guidance=GUIDANCE)
            await self.world.decide(review, decision, review.version - behind, agent)

    async def a_person_acts(self, number: int, act: str, agent: int) -> None:
        if known := list(self.world.model.newest):
            await self.world.act(known[number % len(known)], act, agent)

    async def a_worker_takes_a_job(self, worker: int, number: int, steps: int | None) -> None:
        worker = worker if self.world.free(worker) else 1 - worker
        if jobs := self.world.free(worker):
            job = jobs[number % len(jobs)]
            self.world.workers[worker].pile.jobs.remove(job)
            await self.world.start(worker, job, steps)

    async def a_job_goes_on(self, number: int, steps: int | None) -> None:
        if running := self.world.running:
            await self.world.advance(running[number % len(running)], steps)

    async def a_job_is_given_again(self, worker: int, number: int) -> None:
        if done := self.world.done:
            await self.world.workers[worker].pile.enqueue(done[number % len(done)])

    async def the_workers_do_what_they_can(self) -> None:
        await self.world.work()

    async def the_rows_are_looked_through(self, worker: int) -> None:
        await self.world.recover(worker)

    async def a_worker_crashes(self, worker: int) -> None:
        await self.world.crash(worker)

    async def everything_crashes(self) -> None:
        await self.world.crash_all()

    async def the_platform_will_fail(self, faults: list[Fault]) -> None:
        self.world.board.faults.extend(faults)

    async def time_passes(self) -> None:
        await self.world.pass_time()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The database's kind and address."""
    return request.param, "" if request.param == "sqlite" else str(request.getfixturevalue("new_postgres_url"))


@pytest.fixture
def stage(tmp_path: Path, database: tuple[str, str], embedder: Embedder) -> Iterator[tuple[asyncio.Runner, Desks]]:
    """A desk for all examples, in one event loop."""
    remembering = CachingEmbedder(BatchingEmbedder(embedder))
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opening = open_desks(settings_for(tmp_path, database[1]), remembering, load_classifier(remembering))
        yield runner, runner.run(stack.enter_async_context(opening))
        runner.run(stack.aclose())


@pytest.mark.timeout(0 if CHAOS else 900)
def test_whatever_happens_the_desk_keeps_its_promises(
    database: tuple[str, str], stage: tuple[asyncio.Runner, Desks]
) -> None:
    play(*stage, CHAOS or EXAMPLES[database[0]])


def play(runner: asyncio.Runner, desks: Desks, examples: int) -> None:
    """Run so many stories."""

    @settings(
        max_examples=examples,
        derandomize=not CHAOS,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(EVENTS, min_size=25, max_size=80 if CHAOS else 45))
    def stories(events: list[Event]) -> None:
        runner.run(Story(World(desks)).tell(events))

    stories()
