"""Rate and concurrency limits: how much one client address may ask of the web chat, and how many may follow at once."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import HTTPConnection

from storage.errors import OverloadedError, TooManyAttemptsError
from storage.settings import WebSettings

RETRY_AFTER_SECONDS = 5


class ConcurrencyLimit:
    """A bound on what goes on at once in this process."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.in_use = 0

    @property
    def is_full(self) -> bool:
        """Whether nobody else may come in."""
        return self.in_use >= self._number

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Take one; whoever asks `is_full` first keeps the bound."""
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1


class WebLimits:
    """Counts per address, in this process; a limit of 0 means none."""

    def __init__(self, settings: WebSettings) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._conversations = _per_minute(settings.conversations_per_minute)
        self._messages = _per_minute(settings.messages_per_minute)
        self.listeners = ConcurrencyLimit(settings.listeners)
        """Who follows a conversation, by events or by waiting for a reply."""

    def count_conversation(self, request: HTTPConnection) -> None:
        """Count a new conversation; TooManyAttemptsError says when to come back."""
        self._count(self._conversations, "conversation", client_address(request))

    def count_message(self, request: HTTPConnection) -> None:
        """Count a message."""
        self._count(self._messages, "message", client_address(request))

    def require_listener_slot(self) -> None:
        """Refuse one more who follows a conversation: OverloadedError says when to come back."""
        if self.listeners.is_full:
            raise OverloadedError(RETRY_AFTER_SECONDS)

    def _count(self, limit: RateLimitItem | None, *key: str) -> None:
        if limit is not None and not self._limiter.hit(limit, *key):
            raise TooManyAttemptsError(self._seconds_left(limit, *key))

    def _seconds_left(self, limit: RateLimitItem, *key: str) -> int:
        resets_at = self._limiter.get_window_stats(limit, *key).reset_time
        # The library reads this clock itself.
        return max(1, math.ceil(resets_at - time.time()))


def _per_minute(amount: int) -> RateLimitItem | None:
    return RateLimitItemPerMinute(amount) if amount else None


def client_address(request: HTTPConnection) -> str:
    """Whom a request counts for."""
    return request.client.host if request.client else "unknown"
