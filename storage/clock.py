"""Wall clock: the one source of this moment for whatever is stored or compared with what is stored; tests can set it.

Pauses, timeouts and durations inside one process are measured by monotonic time and do not belong here.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

MIN_STEP = timedelta(seconds=5)
"""A smaller difference is one between two machines, or the time that a statement waits for its turn."""


class Clock:
    """Gives the seconds since the epoch; one instance serves every thread of the process."""

    def __init__(self) -> None:
        self.read: Callable[[], float] = time.time


_clock = Clock()


def now() -> datetime:
    """This moment in UTC, aware."""
    return datetime.fromtimestamp(_clock.read(), UTC)


def timestamp() -> float:
    """This moment in seconds since the epoch."""
    return _clock.read()


def was_set_back_since(moment: datetime | None) -> bool:
    """Whether a moment that was noted as present lies ahead: what counts from it would never end, so it has ended."""
    return moment is not None and moment > now() + MIN_STEP


class StepDetector:
    """Notices that the wall clock was set back, by what passes on the monotonic one."""

    def __init__(self) -> None:
        self._offset = timestamp() - time.monotonic()

    def set_back_by(self) -> timedelta:
        """How far the clock was set back since the last look; nothing for what two clocks differ by anyway."""
        before, self._offset = self._offset, timestamp() - time.monotonic()
        step = timedelta(seconds=before - self._offset)
        return step if step > MIN_STEP else timedelta(0)


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """The clock stands still at this moment while the block lasts; for tests."""
    moment = at.timestamp()
    with _reading(lambda: moment):
        yield


@contextmanager
def shifted(by: timedelta) -> Iterator[None]:
    """The clock goes on, but ahead by this much (or behind, if negative), while the block lasts; for tests."""
    before = _clock.read
    with _reading(lambda: before() + by.total_seconds()):
        yield


@contextmanager
def _reading(read: Callable[[], float]) -> Iterator[None]:
    before, _clock.read = _clock.read, read
    try:
        yield
    finally:
        _clock.read = before
