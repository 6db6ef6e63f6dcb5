"""Exponential back-off with jitter: how long to wait before each new try, and how many tries there are."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

MAX_PAUSE_SECONDS = 60.0
MAX_DOUBLINGS = 64
"""Beyond it every pause is the longest one, and the power would no longer fit into a float."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from the first to the longest one; all in seconds."""

    first: float
    longest: float
    jitter: float = 0.0
    """Up to so much more, at random, so that what failed together does not come back together."""

    def seconds(self, failures: int) -> float:
        """The pause after a failed try; `failures`: those before it."""
        doubled = self.first * 2.0 ** min(failures, MAX_DOUBLINGS)
        return min(doubled + random.uniform(0, self.jitter), self.longest)  # noqa: S311 - no secret

    def pauses(self) -> Iterator[float]:
        """The pauses after each of any number of failed tries."""
        return map(self.seconds, count())


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often work that fails is tried, and how long it waits in between: jobs and deliveries."""

    max_attempts: int = 5
    first_pause: float = 1.0
    """Seconds; it doubles with every failed try, up to a minute, with some jitter."""

    def has_more(self, failures: int) -> bool:
        """Whether another try follows one that fails; `failures`: those before it."""
        return failures + 1 < self.max_attempts

    def pause(self, failures: int) -> timedelta:
        """How long to wait after a failed try; `failures`: those before it."""
        backoff = Backoff(self.first_pause, MAX_PAUSE_SECONDS, jitter=self.first_pause / 4)
        return timedelta(seconds=backoff.seconds(failures))
