"""The wall clock that tests can set."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from storage import clock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_frozen_clock_stands_still_in_both_forms() -> None:
    with clock.frozen(NOON):
        assert clock.now() == NOON
        assert clock.timestamp() == NOON.timestamp()


def test_a_shifted_clock_goes_on_from_the_clock_around_it() -> None:
    with clock.frozen(NOON), clock.shifted(HOUR), clock.shifted(HOUR):
        assert clock.now() == NOON + 2 * HOUR


def test_a_shifted_clock_still_goes() -> None:
    with clock.shifted(-HOUR):
        first = clock.timestamp()
        while clock.timestamp() == first:
            pass
        assert clock.timestamp() > first


async def test_other_threads_read_the_same_clock() -> None:
    with clock.frozen(NOON):
        assert await asyncio.to_thread(clock.now) == NOON


def test_the_clock_is_right_again_after_a_failure() -> None:
    with pytest.raises(ZeroDivisionError), clock.frozen(NOON):
        _ = 1 / 0
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
