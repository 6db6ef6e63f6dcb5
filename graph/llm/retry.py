"""Exponential back-off with jitter under a deadline: the endpoint's `Retry-After` counts, the deadline counts more.

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
    retry_if_exception_type,
)

from graph.errors import ModelUnavailableError
from storage.backoff import Backoff

T = TypeVar("T")
MAX_FIRST_PAUSE = 0.5
"""Seconds."""


@dataclass(frozen=True, slots=True)
class DeadlineRetry:
    """How often to try again, and until when."""

    retries: int
    first_pause: float
    """Seconds before the first retry; it doubles, with jitter."""
    deadline: float
    """The event loop's time at which the answer comes too late."""
    probing: bool = False
    """The request uses a feature that the endpoint may not know, and some say so by a server error."""

    @classmethod
    def within(cls, seconds: float, retries: int) -> "DeadlineRetry":
        """Retries for so many seconds from now; a short deadline makes short pauses."""
        deadline = asyncio.get_running_loop().time() + seconds
        return cls(retries, min(MAX_FIRST_PAUSE, seconds / 60), deadline)

    async def run(self, send: Callable[[], Awaitable[T]]) -> T:
        """What `send` gives; raises its last ModelError when trying again does not help or comes too late."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(ModelUnavailableError),
            stop=self._should_stop,
            wait=self._pause,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                answer = await send()
        return answer

    def _pause(self, state: RetryCallState) -> float:
        error = _unavailable(state)
        if error is not None and error.retry_after:
            return error.retry_after
        backoff = Backoff(self.first_pause, longest=16 * self.first_pause, jitter=self.first_pause)
        return backoff.seconds(state.attempt_number - 1)

    def _should_stop(self, state: RetryCallState) -> bool:
        error, attempts = _unavailable(state), state.attempt_number
        if error is None or not error.retryable or attempts > self.retries:
            return True
        # While probing, one retry tells an unknown feature from a server that stumbled.
        if self.probing and error.may_mean_unsupported and attempts > 1:
            return True
        return asyncio.get_running_loop().time() + state.upcoming_sleep >= self.deadline


def _unavailable(state: RetryCallState) -> ModelUnavailableError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, ModelUnavailableError) else None
