"""Admission control: what a message costs its customer and its workspace, when it is answered, and behind whom.

Nothing that is accepted is lost: beyond a rate limit its turn waits. Only what would wait for too long is refused.
"""

import math
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.conversations.admission import counters
from storage.conversations.admission.counters import Charged, Cost
from storage.conversations.admission.fair_queue import FairQueue
from storage.conversations.admission.rate_limit import RateLimiter
from storage.settings import LimitsSettings


@dataclass(frozen=True, slots=True)
class Admission:
    """What one message came to."""

    rank: int
    """Of the turn that it begins."""
    wait: float = 0.0
    """Seconds until it may be answered: 0 within the limits."""
    must_tell: bool = False
    """It has to wait, and the customer does not know yet."""


class AdmissionControl:
    """Counts each message in its own transaction; the caller's rollback takes it out of the count."""

    def __init__(self, limits: LimitsSettings) -> None:
        self._limiter = RateLimiter(limits)
        self._queue = FairQueue()

    async def admit(
        self, connection: AsyncConnection, workspace_id: str, customer_id: str, *, new_turn: bool = True
    ) -> Admission:
        """Count a message, and the turn that it begins.

        Raises TooManyMessagesError if it would have to wait for longer than `limits.longest_wait_seconds`.
        """
        now = clock.timestamp()
        charged = await counters.charge(connection, workspace_id, customer_id, self._cost(new_turn=new_turn), now)
        wait = await self._wait(connection, workspace_id, charged, now, new_turn=new_turn)
        self._limiter.check(wait)
        rank = max(charged.customer.rank, charged.workspace.rank)
        if not wait:
            return Admission(rank)
        until = max(self._limiter.burst_ends(charged.customer.arrivals, now), now + wait)
        await counters.mark_told(connection, workspace_id, customer_id, until)
        return Admission(max(rank, math.ceil(now + wait)), wait, must_tell=charged.customer.wait_notified_until <= now)

    async def refuse(self, connection: AsyncConnection, workspace_id: str, customer_id: str, seconds: int) -> bool:
        """A message was not taken and the next may come in so many seconds; gives whether the customer must be told."""
        return await counters.mark_refused(connection, workspace_id, customer_id, seconds, clock.timestamp())

    def _cost(self, *, new_turn: bool) -> Cost:
        return Cost(
            customer_minute=self._limiter.customer_minute.interval,
            customer_hour=self._limiter.customer_hour.interval,
            workspace_minute=self._limiter.workspace_minute.interval,
            customer_step=self._queue.customer_step if new_turn else 0,
            workspace_step=self._queue.workspace_step if new_turn else 0,
        )

    async def _wait(
        self, connection: AsyncConnection, workspace_id: str, charged: Charged, now: float, *, new_turn: bool
    ) -> float:
        """Seconds that the message waits: for the customer's own limits, else for the workspace's.

        What the customer's own excess holds back does not count for the workspace: the others need not wait for it.
        """
        own_wait = self._limiter.customer_wait(charged.customer.arrivals, now)
        is_crowd = new_turn and self._queue.is_crowd(charged.customer.rank, charged.workspace.rank)
        if not own_wait and not is_crowd:
            return self._limiter.workspace_wait(charged.workspace.arrivals, now)
        await counters.refund_workspace(
            connection,
            workspace_id,
            minute=self._limiter.workspace_minute.interval if own_wait else 0.0,
            step=self._queue.workspace_step if is_crowd else 0,
        )
        return own_wait
