"""The embedded queue: order within a key, fairness between keys, retries, dead letters, a clean stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from storage.clock import now
from storage.queue.embedded.jobs import EmbeddedJobs
from storage.queue.jobs import (
    Handler,
    Handlers,
    Job,
    JobKind,
    RetryAfterError,
    RunAt,
)
from storage.queue.periodic import PeriodicTask


class Bench:
    """A queue with one handler, and what was dead-lettered."""

    def __init__(self, jobs: EmbeddedJobs) -> None:
        self.jobs = jobs
        self.dead_letters: list[tuple[str, str]] = []

    async def on_dead_letter(self, job: Job, reason: str) -> None:
        self.dead_letters.append((job.id, reason))


@asynccontextmanager
async def working(handler: Handler, concurrency: int = 4, max_attempts: int = 3) -> AsyncIterator[Bench]:
    bench = Bench(EmbeddedJobs(concurrency=concurrency, max_attempts=max_attempts, retry_seconds=0.01))
    bench.jobs.start(Handlers(dict.fromkeys(JobKind, handler), bench.on_dead_letter))
    yield bench
    await bench.jobs.stop()


def job(name: str, key: str = "key", kind: JobKind = JobKind.ANSWER) -> Job:
    return Job(kind, name, key)


async def test_a_key_runs_its_jobs_one_after_the_other_in_order() -> None:
    done: list[str] = []
    running = 0

    async def handler(item: Job) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0.005)
        running -= 1
        done.append(item.id)

    async with working(handler) as bench:
        for number in range(5):
            await bench.jobs.enqueue(job(str(number)))
        await bench.jobs.idle()
    assert done == ["0", "1", "2", "3", "4"]


async def test_keys_run_beside_each_other_up_to_the_bound() -> None:
    running = highest = 0

    async def handler(_: Job) -> None:
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        await asyncio.sleep(0.01)
        running -= 1

    async with working(handler, concurrency=3) as bench:
        for number in range(12):
            await bench.jobs.enqueue(job("x", key=str(number)))
        await bench.jobs.idle()
    assert highest == 3


async def test_one_chatty_key_does_not_starve_the_others() -> None:
    done: list[str] = []

    async def handler(item: Job) -> None:
        await asyncio.sleep(0.002)
        done.append(item.key)

    async with working(handler, concurrency=1) as bench:
        for number in range(20):
            await bench.jobs.enqueue(job(str(number), key="chatty"))
        for number in range(3):
            await bench.jobs.enqueue(job("x", key=f"quiet {number}"))
        await bench.jobs.idle()
    assert max(done.index(f"quiet {number}") for number in range(3)) < 8


async def test_the_same_job_that_still_waits_is_taken_once() -> None:
    done: list[str] = []

    async def handler(item: Job) -> None:
        done.append(item.id)

    async with working(handler) as bench:
        for _ in range(3):
            await bench.jobs.enqueue(job("same"), due=now() + timedelta(seconds=0.03))
        await bench.jobs.idle()
    assert done == ["same"]


async def test_a_job_that_is_not_due_lets_others_of_its_key_go_first() -> None:
    done: list[str] = []

    async def handler(item: Job) -> None:
        done.append(item.id)

    async with working(handler) as bench:
        await bench.jobs.enqueue(job("gathering"), due=now() + timedelta(seconds=0.1))
        await asyncio.sleep(0.01)
        await bench.jobs.enqueue(job("reply", kind=JobKind.DELIVER))
        await bench.jobs.idle()
    assert done == ["reply", "gathering"]


async def test_a_handler_may_ask_to_run_later() -> None:
    runs = 0

    async def handler(_: Job) -> RunAt | None:
        nonlocal runs
        runs += 1
        return RunAt(now() + timedelta(seconds=0.02)) if runs < 3 else None

    async with working(handler) as bench:
        await bench.jobs.enqueue(job("x"))
        await bench.jobs.idle()
    assert runs == 3


async def test_a_failing_job_is_tried_again_and_then_dead_letters() -> None:
    tries: list[int] = []

    async def handler(item: Job) -> None:
        tries.append(item.attempt)
        raise RetryAfterError("the channel is away", 0.01)

    async with working(handler, max_attempts=3) as bench:
        await bench.jobs.enqueue(job("x"))
        await bench.jobs.idle()
        assert bench.dead_letters == [("x", "the channel is away")]
    assert tries == [0, 1, 2]


async def test_any_error_counts_as_a_failed_try_and_the_key_goes_on() -> None:
    done: list[str] = []

    async def handler(item: Job) -> None:
        if item.id == "bad":
            raise ValueError("surprise")
        done.append(item.id)

    async with working(handler, max_attempts=2) as bench:
        await bench.jobs.enqueue(job("bad"))
        await bench.jobs.enqueue(job("good"))
        await bench.jobs.idle()
        assert bench.dead_letters == [("bad", "ValueError")]
    assert done == ["good"]


async def test_stopping_lets_running_jobs_end_and_starts_no_new_ones() -> None:
    done: list[str] = []

    async def handler(item: Job) -> None:
        await asyncio.sleep(0.05)
        done.append(item.id)

    async with working(handler) as bench:
        await bench.jobs.enqueue(job("running"))
        await bench.jobs.enqueue(job("waiting"))
        await asyncio.sleep(0.01)
        await bench.jobs.stop(grace_seconds=1)
        await bench.jobs.enqueue(job("late"))
    assert done == ["running"]


async def test_jobs_taken_before_the_start_are_done_after_it() -> None:
    done: list[str] = []

    async def handler(item: Job) -> None:
        done.append(item.id)

    async def nobody(_job: Job, _reason: str) -> None:
        return

    jobs = EmbeddedJobs()
    await jobs.enqueue(job("early"))
    assert jobs.waiting == 1
    jobs.start(Handlers(dict.fromkeys(JobKind, handler), nobody))
    await jobs.idle()
    assert done == ["early"]


async def test_what_runs_on_beyond_the_grace_is_cut_off() -> None:
    cut_off: list[str] = []

    async def handler(item: Job) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cut_off.append(item.id)
            raise

    async with working(handler) as bench:
        await bench.jobs.enqueue(job("endless"))
        await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            await bench.jobs.stop(grace_seconds=0.05)
    assert cut_off == ["endless"]


async def test_what_takes_long_is_cut_off_at_once() -> None:
    async def handler(_: Job) -> None:
        await asyncio.sleep(60)

    async with working(handler) as bench:
        await bench.jobs.enqueue(job("load", kind=JobKind.LOAD))
        await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            await bench.jobs.stop(grace_seconds=60)
    assert bench.jobs.waiting == 0


async def test_a_periodic_task_runs_at_once_and_ends_with_the_queue() -> None:
    runs = 0

    async def tick() -> None:
        nonlocal runs
        runs += 1

    async def handler(_: Job) -> None:
        """Nothing to do."""

    bench = Bench(EmbeddedJobs())
    bench.jobs.start(
        Handlers(dict.fromkeys(JobKind, handler), bench.on_dead_letter), periodic_tasks=[PeriodicTask("tick", 60, tick)]
    )
    await asyncio.sleep(0.01)
    await bench.jobs.stop()
    assert runs == 1
    assert not bench.jobs.is_working
