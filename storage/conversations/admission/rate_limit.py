"""Rate limiting by GCRA (generic cell rate algorithm): one moment per limit, whatever the rate.

The moment is the theoretical arrival time: when everything written so far is paid off at the rate. Each message moves
it on by the emission interval of the rate. While it is no further ahead of the clock than the period of the rate, the
message conforms; by what it is further ahead, the message has to wait.
https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

import math
from dataclasses import dataclass

from storage.errors import TooManyMessagesError
from storage.settings import LimitsSettings

MINUTE, HOUR = 60.0, 3600.0
ROUNDING = 0.001
"""Seconds since 1970 in a double are exact to less than a microsecond; sums of them stay far below this."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many messages in a period of so many seconds; 0: no limit."""

    amount: int
    period: float

    @property
    def interval(self) -> float:
        """The emission interval: seconds of the period that one message takes; 0 without a limit."""
        return self.period / self.amount if self.amount else 0.0

    def wait(self, arrival: float, now: float) -> float:
        """Seconds until the message conforms that has moved the theoretical arrival time on to `arrival`."""
        excess = arrival - now - self.period
        return excess if self.amount and excess > ROUNDING else 0.0


@dataclass(frozen=True, slots=True)
class ArrivalTimes:
    """The theoretical arrival times of a customer or of a workspace, in seconds since 1970."""

    minute: float
    """At the rate per minute."""
    hour: float
    """At the rate per hour."""


class RateLimiter:
    """The limits of a deployment: two for each customer, one for each workspace."""

    def __init__(self, limits: LimitsSettings) -> None:
        self.customer_minute = RateLimit(limits.customer_per_minute, MINUTE)
        self.customer_hour = RateLimit(limits.customer_per_hour, HOUR)
        self.workspace_minute = RateLimit(limits.workspace_per_minute, MINUTE)
        self._longest_wait = limits.longest_wait_seconds

    def customer_wait(self, customer: ArrivalTimes, now: float) -> float:
        """Seconds until the customer's own limits let the message through that has just been counted."""
        minute = self.customer_minute.wait(customer.minute, now)
        return max(minute, self.customer_hour.wait(customer.hour, now))

    def workspace_wait(self, workspace: ArrivalTimes, now: float) -> float:
        """Seconds until the limit of the whole workspace lets the message through."""
        return self.workspace_minute.wait(workspace.minute, now)

    def check(self, wait: float) -> None:
        """Raise TooManyMessagesError if the message would have to wait for too long."""
        if wait > self._longest_wait:
            raise TooManyMessagesError(math.ceil(wait - self._longest_wait))

    def burst_ends(self, customer: ArrivalTimes, now: float) -> float:
        """When everything that the customer has written is paid off: until then they are told once that it waits."""
        return max(customer.minute, customer.hour if self.customer_hour.amount else now)
