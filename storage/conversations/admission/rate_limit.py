"""What each customer and each workspace takes of the desk: how much they may write, and whose turn comes first.

A rate is kept as one moment per customer: when everything written so far is paid off at the rate. What is written
while that moment is more than the rate's period away waits until it is not. One row, whatever the rate.

The rank of a turn is its place in rounds that are served one after the other, in each of them one turn of every
customer and a few of every workspace (self-clocked fair queueing). Who has many turns waiting has them spread over
as many rounds; who comes later begins in the round that is being served. Ranks count in seconds since 1970 only so
that what was taken before the queue was last empty is forgotten by itself.
"""

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.batches import change_in_batches
from storage.database.engine import Database
from storage.database.tables import shares
from storage.errors import TooManyMessagesError
from storage.settings import LimitsSettings

MINUTE, HOUR = 60.0, 3600.0
WORKSPACE = ""
"""The subject of a workspace's own row."""
CUSTOMER_STEP, WORKSPACE_STEP = 10, 1
"""So each round serves one turn of a customer and ten of a workspace."""
ROUNDING = 0.001
"""Seconds since 1970 in a double are exact to less than a microsecond; sums of them stay far below this."""

FRONTIER = "coalesce((SELECT min(rank) FROM turns WHERE status = 'queued'), CAST(:now AS BIGINT))"
# The customer's row before the workspace's, which everybody needs: nobody waits crosswise.
TAKE = text(f"""
    INSERT INTO shares (workspace_id, subject, minute_at, hour_at, rank) VALUES
        (:workspace_id, :customer_id, :now + :customer_minute, :now + :customer_hour, {FRONTIER} + :customer_rank),
        (:workspace_id, '', :now + :workspace_minute, :now, {FRONTIER} + :workspace_rank)
    ON CONFLICT (workspace_id, subject) DO UPDATE SET
        minute_at = CASE WHEN shares.minute_at > :now THEN shares.minute_at ELSE :now END
            + CASE WHEN shares.subject = '' THEN :workspace_minute ELSE :customer_minute END,
        hour_at = CASE WHEN shares.hour_at > :now THEN shares.hour_at ELSE :now END
            + CASE WHEN shares.subject = '' THEN 0 ELSE :customer_hour END,
        rank = CASE WHEN shares.rank > {FRONTIER} THEN shares.rank ELSE {FRONTIER} END
            + CASE WHEN shares.subject = '' THEN :workspace_rank ELSE :customer_rank END
    RETURNING subject, minute_at, hour_at, told_until, rank
""")  # noqa: S608 - put together from constants
GIVE_BACK = text("""
    UPDATE shares SET minute_at = minute_at - :minute, rank = rank - :rank
    WHERE workspace_id = :workspace_id AND subject = ''
""")
TOLD = text("""
    UPDATE shares SET told_until = :until WHERE workspace_id = :workspace_id AND subject = :customer_id
""")
REFUSED = text("""
    INSERT INTO shares (workspace_id, subject, minute_at, hour_at, refused_until)
    VALUES (:workspace_id, :customer_id, :now, :now, :until)
    ON CONFLICT (workspace_id, subject) DO UPDATE SET refused_until = :until WHERE shares.refused_until <= :now
""")
SERVED = text(f"SELECT {FRONTIER}")


@dataclass(frozen=True, slots=True)
class Share:
    """What one message came to."""

    rank: int
    """Of the turn that it begins."""
    wait: float = 0.0
    """Seconds until it may be answered: 0 within the limits."""
    to_tell: bool = False
    """It has to wait, and the customer does not know yet."""


class Shares:
    """Counts in the rows, in the transaction of the message: exact for any number of processes."""

    def __init__(self, limits: LimitsSettings) -> None:
        self._longest = limits.longest_wait_seconds
        self._minute = _cost(MINUTE, limits.customer_per_minute)
        self._hour = _cost(HOUR, limits.customer_per_hour)
        self._workspace = _cost(MINUTE, limits.workspace_per_minute)

    async def take(
        self, connection: AsyncConnection, workspace_id: str, customer_id: str, *, new_turn: bool = True
    ) -> Share:
        """Count a message, and the turn that it begins.

        Raises TooManyMessagesError if it would have to wait for longer than `limits.longest_wait_seconds`; the
        caller's rollback then takes it out of the count.
        """
        now = clock.timestamp()
        mine, everybody = await self._count(connection, workspace_id, customer_id, now, new_turn=new_turn)
        wait = max(_over(mine.minute_at, now, MINUTE, self._minute), _over(mine.hour_at, now, HOUR, self._hour))
        crowd = new_turn and mine.rank - everybody.rank > CUSTOMER_STEP
        if wait or crowd:
            # A customer's own crowd waits by itself, so that the others need not wait for it.
            given = {"minute": self._workspace if wait else 0.0, "rank": WORKSPACE_STEP if crowd else 0}
            await connection.execute(GIVE_BACK, {"workspace_id": workspace_id, **given})
        else:
            wait = _over(everybody.minute_at, now, MINUTE, self._workspace)
        if wait > self._longest:
            raise TooManyMessagesError(math.ceil(wait - self._longest))
        if not wait:
            return Share(max(mine.rank, everybody.rank))
        until = {"until": max(mine.minute_at, mine.hour_at if self._hour else now, now + wait)}
        await connection.execute(TOLD, {"workspace_id": workspace_id, "customer_id": customer_id, **until})
        return Share(max(mine.rank, everybody.rank, math.ceil(now + wait)), wait, mine.told_until <= now)

    async def refuse(self, connection: AsyncConnection, workspace_id: str, customer_id: str, seconds: int) -> bool:
        """A message was not taken and the next may come in so many seconds; gives whether the customer must be told."""
        now = clock.timestamp()
        keys = {"workspace_id": workspace_id, "customer_id": customer_id, "now": now, "until": now + seconds + MINUTE}
        return bool((await connection.execute(REFUSED, keys)).rowcount)

    async def _count(
        self, connection: AsyncConnection, workspace_id: str, customer_id: str, now: float, *, new_turn: bool
    ) -> tuple[Row[Any], Row[Any]]:
        """The customer's row and the workspace's with this message in both."""
        values = {
            "workspace_id": workspace_id,
            "customer_id": customer_id,
            "now": now,
            "customer_minute": self._minute,
            "customer_hour": self._hour,
            "workspace_minute": self._workspace,
            "customer_rank": CUSTOMER_STEP if new_turn else 0,
            "workspace_rank": WORKSPACE_STEP if new_turn else 0,
        }
        rows = {row.subject: row for row in await connection.execute(TAKE, values)}
        return rows[customer_id], rows[WORKSPACE]


async def served_rank(connection: AsyncConnection) -> int:
    """The rank of the round that is being served."""
    return int((await connection.execute(SERVED, {"now": clock.timestamp()})).scalar_one())


async def forget_shares(database: Database) -> int:
    """Delete the rows that say no more than none would; gives how many."""
    now = clock.timestamp()
    moments = (shares.c.minute_at, shares.c.hour_at, shares.c.told_until, shares.c.refused_until, shares.c.rank)
    paid_off = and_(*(moment < now for moment in moments))
    which, forget = select(shares.c.subject).where(paid_off), delete(shares).where(paid_off)
    return await change_in_batches(database, which, forget, shares.c.subject)


def _cost(period: float, amount: int) -> float:
    """Seconds of the period that one message takes; 0 without a limit."""
    return period / amount if amount else 0.0


def _over(paid_off: float, now: float, period: float, cost: float) -> float:
    """Seconds until a message that is paid off at this time fits into the period."""
    over = paid_off - now - period
    return over if cost and over > ROUNDING else 0.0
