"""The queue in memory keeps its pauses while the clock is set back."""

import asyncio
from datetime import timedelta

from storage import clock
from storage.queue.embedded.jobs import EmbeddedJobs
from storage.queue.jobs import Handlers, Job, JobKind


async def test_a_job_that_waits_runs_in_time_though_the_clock_is_set_back() -> None:
    done = asyncio.Event()

    async def answer(_: Job) -> None:
        done.set()

    async def give_up(_: Job, __: str) -> None:
        pass

    jobs = EmbeddedJobs()
    jobs.start(Handlers({JobKind.ANSWER: answer}, give_up))
    await jobs.enqueue(Job(JobKind.ANSWER, "t", "c"), due=clock.now() + timedelta(seconds=0.3))
    with clock.shifted(timedelta(minutes=-11)):
        await asyncio.wait_for(done.wait(), 3)
    await jobs.stop()
