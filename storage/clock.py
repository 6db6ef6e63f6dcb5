"""Wall clock: the one source of this moment for whatever is stored or compared with what is stored; tests can set it.

Pauses, timeouts and durations inside one process are measured by monotonic time and do not belong here.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


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
