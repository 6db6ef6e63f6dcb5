"""Rate limiting of logins by fixed windows: failures per client address and per e-mail, registrations per address."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from storage.errors import TooManyAttemptsError

WINDOW_MINUTES = 5
MAX_EMAIL_LENGTH = 320
"""What an e-mail's column holds."""

Key = tuple[str, str]


class LoginLimits:
    """Counts in this process. One for each kind of login: who fails as a customer locks no member out.

    An attempt counts before its password is hashed: attempts side by side would else all be looked at before the
    first of them has failed, and each costs some 50 ms of a processor.
    """

    def __init__(self, attempts: int) -> None:
        self._limit = RateLimitItemPerMinute(attempts, WINDOW_MINUTES)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def admit(self, address: str, email: str) -> None:
        """Count an attempt. Raises TooManyAttemptsError when the address or the e-mail has none left."""
        self._count(_of_address(address), _of_email(email))

    def succeeded(self, address: str, email: str) -> None:
        """The attempt was no failure: it does not count for the address, and the e-mail starts anew."""
        self._limiter.hit(self._limit, *_of_address(address), cost=-1)
        self._limiter.clear(self._limit, *_of_email(email))

    def admit_registration(self, address: str) -> None:
        """Count a new login, which costs a hash whether it succeeds or not. Raises TooManyAttemptsError."""
        self._count(("registration", address))

    def _count(self, *keys: Key) -> None:
        """Every key counts, even where another one has nothing left."""
        admitted = [self._limiter.hit(self._limit, *key) for key in keys]
        if not all(admitted):
            raise TooManyAttemptsError(max(self._seconds_left(key) for key in keys))

    def _seconds_left(self, key: Key) -> int:
        # The library reads this clock itself; one that tests set would disagree with it.
        resets_at = self._limiter.get_window_stats(self._limit, *key).reset_time
        return max(1, math.ceil(resets_at - time.time()))


def _of_address(address: str) -> Key:
    return "address", address


def _of_email(email: str) -> Key:
    return "email", email.strip().lower()[:MAX_EMAIL_LENGTH]
