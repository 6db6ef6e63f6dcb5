"""The times of periodic tasks."""

from datetime import UTC, datetime

import pytest
from croniter import croniter  # type: ignore[import-untyped]  # its stubs are a package of their own

from storage.queue.periodic import (
    DAY,
    HOUR,
    MINUTE,
    PeriodicTask,
)


async def nothing() -> None:
    """The work of a task."""


@pytest.mark.parametrize("every", [1, 20, 30, MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR, DAY])
def test_the_times_of_a_periodic_task_lie_as_far_apart_as_it_says(every: int) -> None:
    times = croniter(PeriodicTask("task", every, nothing).cron(), datetime(2026, 5, 4, 9, 30, 7, tzinfo=UTC))
    first, second, third = (times.get_next(float) for _ in range(3))
    assert second - first == third - second == every


@pytest.mark.parametrize("every", [0, 7, 90, 7 * MINUTE, 5 * HOUR, 2 * DAY])
def test_the_interval_of_a_periodic_task_divides_the_clock_evenly(every: int) -> None:
    with pytest.raises(ValueError, match="evenly"):
        PeriodicTask("task", every, nothing)
