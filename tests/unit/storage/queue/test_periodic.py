"""Chores' times, retries' pauses, and the alarms that wake workers."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter  # type: ignore[import-untyped]  # its stubs are a package of their own

from storage.clock import now
from storage.queue.periodic import (
    DAY,
    HOUR,
    MINUTE,
    PeriodicTask,
)
from storage.queue.procrastinate.wakeups import HORIZON_SECONDS, DueTimers


async def nothing() -> None:
    """A chore's work."""


@pytest.mark.parametrize("every", [1, 20, 30, MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR, DAY])
def test_a_chore_s_times_lie_as_far_apart_as_it_says(every: int) -> None:
    times = croniter(PeriodicTask("chore", every, nothing).cron(), datetime(2026, 5, 4, 9, 30, 7, tzinfo=UTC))
    first, second, third = (times.get_next(float) for _ in range(3))
    assert second - first == third - second == every


@pytest.mark.parametrize("every", [0, 7, 90, 7 * MINUTE, 5 * HOUR, 2 * DAY])
def test_a_chore_s_interval_divides_the_clock_evenly(every: int) -> None:
    with pytest.raises(ValueError, match="evenly"):
        PeriodicTask("chore", every, nothing)


async def test_an_alarm_rings_when_the_job_is_due_and_many_at_once_are_few() -> None:
    rung: asyncio.Queue[tuple[str, datetime]] = asyncio.Queue()

    async def wake(queue: str) -> None:
        await rung.put((queue, now()))

    alarms = DueTimers(wake)
    due = now() + timedelta(seconds=0.1)
    for _ in range(1000):
        alarms.set("desk", due)
    alarms.set("deliver-web", due)
    assert alarms.count == 2
    heard = [await rung.get(), await rung.get()]
    assert alarms.count == 0
    await alarms.close()
    assert sorted(queue for queue, _ in heard) == ["deliver-web", "desk"]
    assert all(at >= due for _, at in heard)
    assert rung.empty()


async def test_no_alarm_is_set_for_what_is_far_away() -> None:
    async def wake(_queue: str) -> None:
        pytest.fail("this is hours away")

    alarms = DueTimers(wake)
    for minutes in range(1000):
        alarms.set("desk", now() + timedelta(seconds=HORIZON_SECONDS + 1, minutes=minutes))
    assert alarms.count == 0
    await alarms.close()
