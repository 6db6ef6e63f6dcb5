"""The runner takes what is due, as much as may run beside each other, and ends each job in the queue."""

import asyncio
from datetime import timedelta

import pytest

from storage.backoff import RetryPolicy
from storage.clock import now
from storage.queue.embedded.priority_queue import KeyedPriorityQueue
from storage.queue.embedded.runner import JobRunner
from storage.queue.jobs import Handler, Handlers, Job, JobKind, RetryAfterError, RunAt


class Gate:
    """A handler that lets its jobs end only when it is opened."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.opened = asyncio.Event()

    async def handler(self, job: Job) -> RunAt | None:
        self.begun.append(job.id)
        await self.opened.wait()
        self.ended.append(job.id)
        return None


class Bench:
    """A runner with its queue, and how often it said that something had changed."""

    def __init__(self, concurrency: int = 2, max_attempts: int = 2) -> None:
        self.changes = 0
        self.dead_letters: list[str] = []
        self.queue = KeyedPriorityQueue(None, 1)
        self.runner = JobRunner(self.queue, concurrency, RetryPolicy(max_attempts, 0), self._changed)
        self.gate = Gate()

    def _changed(self) -> None:
        self.changes += 1

    async def _dead_letter(self, job: Job, _: str) -> None:
        self.dead_letters.append(job.id)

    def put(self, name: str, kind: JobKind = JobKind.ANSWER, seconds: float = -1) -> None:
        """A job of a key of its own, due in so many seconds."""
        self.queue.put(Job(kind, name, name), now() + timedelta(seconds=seconds))

    def start(self, answer: Handler | None = None) -> None:
        """Every job goes through the gate, but for turns that have a handler of their own."""
        handlers: dict[JobKind, Handler] = dict.fromkeys(JobKind, self.gate.handler)
        if answer is not None:
            handlers[JobKind.ANSWER] = answer
        self.runner.start(Handlers(handlers, self._dead_letter))


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def settled() -> None:
    """Every task that can go on has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_nothing_is_taken_before_the_start_and_all_that_is_due_after_it(bench: Bench) -> None:
    bench.put("a")
    bench.runner.dispatch()
    assert (bench.queue.size, bench.changes, bench.runner.is_working) == (1, 0, False)
    bench.start()
    await settled()
    assert bench.gate.begun == ["a"]
    assert bench.runner.is_working


async def test_as_many_run_beside_each_other_as_may_and_the_next_when_one_ends(bench: Bench) -> None:
    for name in "abc":
        bench.put(name)
    bench.start()
    await settled()
    assert bench.gate.begun == ["a", "b"]
    bench.gate.opened.set()
    await settled()
    assert bench.gate.begun == bench.gate.ended == ["a", "b", "c"]
    assert (len(bench.queue), bench.queue.size) == (0, 0)


async def test_whoever_watches_hears_of_every_beginning_and_end(bench: Bench) -> None:
    bench.put("a")
    bench.start()
    heard = bench.changes
    assert heard == 1
    bench.gate.opened.set()
    await settled()
    assert bench.changes > heard


async def test_what_is_not_due_waits_for_its_time(bench: Bench) -> None:
    done = asyncio.Event()

    async def answer(_: Job) -> None:
        done.set()

    bench.put("later", seconds=0.05)
    bench.start(answer=answer)
    await settled()
    assert not done.is_set()
    await asyncio.wait_for(done.wait(), 5)


async def test_a_job_that_fails_is_ended_and_waits_for_its_next_try(bench: Bench) -> None:
    tries: list[int] = []

    async def answer(job: Job) -> None:
        tries.append(job.attempt)
        raise RetryAfterError("away", 0)

    bench.put("a")
    bench.start(answer=answer)
    await settled()
    assert (tries, bench.dead_letters) == ([0, 1], ["a"])
    assert len(bench.queue) == 0


async def test_a_job_that_asks_to_run_later_waits_until_then(bench: Bench) -> None:
    until = now() + timedelta(hours=1)

    async def answer(_: Job) -> RunAt:
        return RunAt(until)

    bench.put("a")
    bench.start(answer=answer)
    await settled()
    assert bench.queue.take(now()) == until


async def test_a_stop_waits_for_what_is_short_and_cuts_off_what_is_long(bench: Bench) -> None:
    bench.put("answer")
    bench.put("load", JobKind.LOAD)
    bench.start()
    await settled()
    stopping = asyncio.create_task(bench.runner.stop(grace_seconds=60))
    await settled()
    assert not stopping.done()
    bench.gate.opened.set()
    await asyncio.wait_for(stopping, 5)
    assert bench.gate.ended == ["answer"]


async def test_what_comes_while_it_stops_is_not_begun(bench: Bench) -> None:
    bench.start()
    await bench.runner.stop(grace_seconds=60)
    bench.put("late")
    bench.runner.dispatch()
    await settled()
    assert (bench.gate.begun, bench.runner.is_working) == ([], False)


async def test_what_outlasts_the_grace_is_cut_off_and_ended_in_the_queue(bench: Bench) -> None:
    bench.put("endless")
    bench.start()
    await settled()
    await asyncio.wait_for(bench.runner.stop(grace_seconds=0.01), 5)
    assert bench.gate.ended == []
    assert len(bench.queue) == 0
