"""Trying the chat model again: with back-off, as the endpoint asks, and never beyond the deadline.

The openai client could retry by itself, but it sleeps through any `Retry-After` up to two minutes whatever the
deadline, and it cannot tell an endpoint that is down from one that answers 500 to a feature it does not know.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
)

from graph.errors import ModelUnavailableError

T = TypeVar("T")
LONGEST_FIRST_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to try again, and until when."""

    retries: int
    first_pause: float
    """Seconds before the first retry; it doubles, with jitter."""
    until: float
    """The event loop's time at which the answer comes too late."""

    @classmethod
    def of(cls, retries: int, seconds: float) -> "Patience":
        """Patience for so many seconds from now; a short deadline makes short pauses."""
        until = asyncio.get_running_loop().time() + seconds
        return cls(retries, min(LONGEST_FIRST_PAUSE, seconds / 60), until)

    def at_most(self, retries: int) -> "Patience":
        """The same deadline with fewer tries."""
        return Patience(min(self.retries, retries), self.first_pause, self.until)

    async def run(self, send: Callable[[], Awaitable[T]]) -> T:
        """What `send` gives; raises its last ModelError when trying again does not help or comes too late."""
        left = max(0.0, self.until - asyncio.get_running_loop().time())
        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_help),
            stop=stop_after_attempt(self.retries + 1) | stop_before_delay(left),
            wait=self._pause,
            reraise=True,
        )
        return await retrying(send)

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ModelUnavailableError) and error.retry_after:
            return error.retry_after
        return wait_exponential_jitter(initial=self.first_pause, max=16 * self.first_pause, jitter=self.first_pause)(
            state
        )


def _may_help(error: BaseException) -> bool:
    return isinstance(error, ModelUnavailableError) and error.retryable
