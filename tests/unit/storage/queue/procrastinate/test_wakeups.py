"""Timers that wake workers when a job is due."""

import asyncio
from datetime import datetime, timedelta

import pytest

from storage.clock import now
from storage.queue.procrastinate.wakeups import HORIZON_SECONDS, DueTimers


async def test_a_timer_fires_when_the_job_is_due_and_many_at_once_are_few() -> None:
    woken: asyncio.Queue[tuple[str, datetime]] = asyncio.Queue()

    async def wake(queue: str) -> None:
        await woken.put((queue, now()))

    timers = DueTimers(wake)
    due = now() + timedelta(seconds=0.1)
    for _ in range(1000):
        timers.set("desk", due)
    timers.set("deliver-web", due)
    assert timers.count == 2
    heard = [await woken.get(), await woken.get()]
    assert timers.count == 0
    await timers.close()
    assert sorted(queue for queue, _ in heard) == ["deliver-web", "desk"]
    assert all(at >= due for _, at in heard)
    assert woken.empty()


async def test_no_timer_is_set_for_what_is_far_away() -> None:
    async def wake(_queue: str) -> None:
        pytest.fail("this is hours away")

    timers = DueTimers(wake)
    for minutes in range(1000):
        timers.set("desk", now() + timedelta(seconds=HORIZON_SECONDS + 1, minutes=minutes))
    assert timers.count == 0
    await timers.close()
