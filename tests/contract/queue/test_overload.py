"""More than can be answered at once: everybody gets their turn, on both queues, and memory stays bounded."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.intake import Intake
from storage import clock
from storage.conversations.admission.backpressure import BacklogMonitor
from storage.conversations.admission.control import AdmissionControl
from storage.conversations.intake import Accepted, MessageIntake
from storage.database.tables import turns
from storage.embeddings.protocol import Embedder
from storage.queue.embedded.jobs import EmbeddedJobs
from storage.queue.jobs import (
    Handlers,
    Job,
    JobKind,
    JobQueue,
    RunAt,
)
from storage.queue.opening import open_jobs
from storage.records import Incoming, TurnStatus, new_id
from storage.settings import LimitsSettings, Settings
from storage.store import Store
from storage.turns.begin import NotYet, TurnWork
from storage.turns.result import CommitResult
from tests.contract.desk.test_turns import proposal
from tests.support.rows import database_of
from tests.support.settings import settings_for
from tests.support.store import open_test_store
from tests.support.waiting import until

FLOOD = 200
A_FEW = 12
"""Turns that may end before who has just come is served: those at work, and the others of the same round."""


@dataclass
class Desk:
    """A desk that answers one turn after the other, and notes whom."""

    store: Store
    settings: Settings
    answered: list[str] = field(default_factory=list)
    """Threads in the order of the commits."""
    stop_at: int = -1
    """After so many answers the desk waits until it may `go_on`."""
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    threads: dict[str, str] = field(default_factory=dict)

    async def write(self, customer: str, thread: str, workspace: str = "demo", gather_seconds: float = 0.0) -> Accepted:
        incoming = Incoming(workspace, "web", new_id(), thread, customer, "How do I reset my password?")
        accepted = await self.store.conversations.intake.accept(incoming, gather_seconds)
        self.threads[accepted.turn_id or ""] = thread
        return accepted

    async def answer(self, job: Job) -> RunAt | None:
        if job.kind is JobKind.DELIVER:
            if outgoing := await self.store.conversations.outbox.next(job.id):
                await self.store.conversations.outbox.sent(outgoing, None)
            return None
        if len(self.answered) == self.stop_at:
            self.stopped.set()
            await self.go_on.wait()
        work = await self.store.conversations.turns.begin(job.id)
        if isinstance(work, NotYet):
            return RunAt(work.until)
        if isinstance(work, TurnWork):
            assert await self.store.conversations.completion.send(proposal(work)) is CommitResult.COMMITTED
            self.answered.append(self.threads[job.id])
        return None

    @asynccontextmanager
    async def working(self) -> AsyncIterator[JobQueue]:
        """The queue that fits the database, not started yet."""
        async with open_jobs(self.settings, database_of(self.store)) as jobs:
            yield jobs

    def handlers(self) -> Handlers:
        async def nobody(job: Job, reason: str) -> None:
            raise AssertionError((job, reason))

        return Handlers(dict.fromkeys(JobKind, self.answer), nobody)

    async def has_answered(self, number: int) -> None:
        async def looks_so() -> bool:
            return len(self.answered) >= number

        await until(looks_so, seconds=120)

    async def unanswered(self) -> int:
        query = select(func.count()).where(turns.c.status == TurnStatus.QUEUED)
        async with database_of(self.store).read() as connection:
            return int((await connection.execute(query)).scalar_one())


async def enqueue(jobs: JobQueue, accepted: Iterable[Accepted]) -> None:
    for item in accepted:
        await jobs.enqueue(Job(JobKind.ANSWER, item.turn_id or "", item.conversation_id, rank=item.rank))


@pytest.fixture
async def desk(tmp_path: Path, database_url: str, embedder: Embedder) -> AsyncIterator[Desk]:
    settings = settings_for(tmp_path, database_url, jobs={"concurrency": 1})
    async with open_test_store(settings, embedder) as store:
        yield Desk(store, settings, stop_at=10)


async def test_who_writes_once_is_answered_before_a_flood_is_through(desk: Desk) -> None:
    flood = [f"flood {number}" for number in range(FLOOD)]
    others = [f"other {number}" for number in range(5)]
    async with desk.working() as jobs:
        await enqueue(jobs, [await desk.write("Flo", thread) for thread in flood])
        jobs.start(desk.handlers())
        await desk.stopped.wait()
        await enqueue(jobs, [await desk.write(thread, thread) for thread in others])
        desk.go_on.set()
        await desk.has_answered(FLOOD + 5)
    places = [desk.answered.index(thread) for thread in others]
    assert max(places) < desk.stop_at + A_FEW, places
    assert [thread for thread in desk.answered if thread in flood] == flood


async def test_a_workspace_in_a_rush_does_not_keep_the_others_waiting(desk: Desk) -> None:
    await desk.store.accounts.workspaces.create("quiet", "Quiet")
    async with desk.working() as jobs:
        await enqueue(jobs, [await desk.write(f"customer {number}", f"rush {number}") for number in range(60)])
        jobs.start(desk.handlers())
        await desk.stopped.wait()
        await enqueue(jobs, [await desk.write("Quinn", "quiet", "quiet")])
        desk.go_on.set()
        await desk.has_answered(61)
    assert desk.answered.index("quiet") < desk.stop_at + A_FEW


@pytest.fixture
async def small_desk(settings: Settings, embedder: Embedder) -> AsyncIterator[Desk]:
    """On SQLite."""
    async with open_test_store(settings, embedder) as store:
        yield Desk(store, settings)


async def test_the_rows_alone_bring_back_who_was_waiting_in_the_same_order(small_desk: Desk) -> None:
    """After a crash no job is left in memory: the order is in the rows."""
    desk = small_desk
    for number in range(20):
        await desk.write("Flo", f"flood {number}")
    for number in range(3):
        await desk.write(f"other {number}", f"other {number}")
    async with desk.working() as jobs:
        jobs.start(desk.handlers())
        await desk.has_answered(23)
    assert max(desk.answered.index(f"other {number}") for number in range(3)) < A_FEW
    assert [thread for thread in desk.answered if thread.startswith("flood")] == [f"flood {n}" for n in range(20)]


async def test_a_long_queue_is_held_in_the_rows_and_little_of_it_in_memory(small_desk: Desk) -> None:
    desk, most = small_desk, 20
    jobs = EmbeddedJobs(concurrency=4, recover_from=database_of(desk.store), max_keys=most)
    held: list[int] = []

    async def watched(job: Job) -> RunAt | None:
        held.append(len(jobs._queue))
        return await desk.answer(job)

    before = [await desk.write(f"customer {number}", f"early {number}") for number in range(300)]
    await enqueue(jobs, before[:100])
    assert jobs.waiting == most
    jobs.start(Handlers(dict.fromkeys(JobKind, watched), desk.handlers().on_dead_letter))
    await enqueue(jobs, [await desk.write(f"late {number}", f"late {number}") for number in range(100)])
    await jobs.idle()
    assert await desk.unanswered() == 0
    assert sorted(desk.answered) == sorted(desk.threads.values())
    assert max(held) <= most
    await jobs.stop()


async def test_what_is_not_due_yet_does_not_take_the_room_of_what_is(small_desk: Desk) -> None:
    desk = small_desk
    jobs = EmbeddedJobs(concurrency=2, recover_from=database_of(desk.store), max_keys=10)

    for number in range(30):
        await desk.write(f"customer {number}", f"patient {number}", gather_seconds=3600)
    jobs.start(desk.handlers())
    await enqueue(jobs, [await desk.write(f"other {number}", f"due {number}") for number in range(15)])
    await desk.has_answered(15)
    assert jobs.waiting <= 10
    await jobs.stop()


async def test_a_turn_that_found_no_room_is_done_when_its_time_has_come(small_desk: Desk) -> None:
    desk = small_desk
    jobs = EmbeddedJobs(concurrency=2, recover_from=database_of(desk.store), max_keys=3)
    jobs.start(desk.handlers())
    soon = timedelta(seconds=0.5)
    for number in range(12):
        accepted = await desk.write(f"customer {number}", f"thread {number}", gather_seconds=soon.total_seconds())
        job = Job(JobKind.ANSWER, accepted.turn_id or "", accepted.conversation_id, rank=accepted.rank)
        await jobs.enqueue(job, due=clock.now() + soon)
    assert jobs.waiting <= 3
    await desk.has_answered(12)
    await jobs.stop()


async def test_a_notice_gets_a_delivery_of_its_own_at_once(small_desk: Desk) -> None:
    """The turn waits for the limit, what the customer is told does not."""
    store = small_desk.store
    message_intake = MessageIntake(
        database_of(store), AdmissionControl(LimitsSettings(customer_per_minute=1)), BacklogMonitor(0, 0)
    )
    jobs = EmbeddedJobs()
    intake = Intake(message_intake, store.conversations.edits, jobs, store.cluster.events, 0)
    for _ in range(2):
        accepted = await intake.accept(Incoming("demo", "slack", new_id(), "T1/C1/1", "Flo", "hello"))
    delivered: list[str] = []

    async def deliver(job: Job) -> RunAt | None:
        if job.kind is JobKind.DELIVER and (outgoing := await store.conversations.outbox.next(job.id)):
            delivered.append(outgoing.message.text)
            await store.conversations.outbox.sent(outgoing, "1")
        return RunAt(clock.now() + timedelta(hours=1)) if job.kind is JobKind.ANSWER else None

    jobs.start(Handlers(dict.fromkeys(JobKind, deliver), small_desk.handlers().on_dead_letter))

    async def is_told() -> bool:
        return bool(delivered)

    await until(is_told)
    assert accepted.notified
    assert "faster than we can answer" in delivered[0]
    assert await small_desk.unanswered() == 1
    await jobs.stop()
