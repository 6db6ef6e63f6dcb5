"""Admission counters: a row per customer and one per workspace, moved on in the transaction that keeps the message.

So they are exact for any number of processes. One upsert serves the rate limiter (`minute_tat` and `hour_tat`) and the
fair queue (`rank`): both keep the latest of a base and what is stored, and add a cost to it. The base is the clock for
the one and the virtual time for the other.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.conversations.admission.fair_queue import VIRTUAL_TIME
from storage.conversations.admission.rate_limit import HOUR, ArrivalTimes
from storage.database.batches import change_in_batches
from storage.database.engine import Database
from storage.database.tables import admission_counters

WORKSPACE_SUBJECT = ""
"""The subject of a workspace's own row."""
REFUSAL_SECONDS = 60.0
"""How much longer than a refusal lasts the customer counts as told."""


# The clock was set back since the row was last counted: its moments go back with it, or they would hold everybody up
# until the clock is there again. Between machines a few seconds are no step.
STEP = f"""(CASE WHEN admission_counters.counted_at > :now + {clock.MIN_STEP.total_seconds()}
    THEN admission_counters.counted_at - :now ELSE 0 END)"""
LONGEST_REFUSAL = HOUR
"""What is refused conforms after one emission interval, which is no longer than the longest period."""


def _ahead(stored: str, base: str) -> str:
    return f"CASE WHEN {stored} > {base} THEN {stored} - {base} ELSE 0 END"


def _shifted(column: str) -> str:
    return f"(admission_counters.{column} - {STEP})"


# `excluded` is the row as it would be new: base and cost. The customer's row comes before the workspace's, which
# everybody needs: nobody waits crosswise.
CHARGE = text(f"""
    INSERT INTO admission_counters (workspace_id, subject, minute_tat, hour_tat, rank, counted_at) VALUES
        (:workspace_id, :customer_id, :now + :customer_minute, :now + :customer_hour, {VIRTUAL_TIME} + :customer_step,
         :now),
        (:workspace_id, '', :now + :workspace_minute, :now, {VIRTUAL_TIME} + :workspace_step, :now)
    ON CONFLICT (workspace_id, subject) DO UPDATE SET
        minute_tat = excluded.minute_tat + {_ahead(_shifted("minute_tat"), ":now")},
        hour_tat = excluded.hour_tat + {_ahead(_shifted("hour_tat"), ":now")},
        rank = excluded.rank + {_ahead(f"(admission_counters.rank - CAST({STEP} AS BIGINT))", VIRTUAL_TIME)},
        wait_notified_until = {_shifted("wait_notified_until")},
        counted_at = excluded.counted_at
    RETURNING subject, minute_tat, hour_tat, wait_notified_until, rank
""")  # noqa: S608 - put together from constants
REFUND_WORKSPACE = text("""
    UPDATE admission_counters SET minute_tat = minute_tat - :minute, rank = rank - :step
    WHERE workspace_id = :workspace_id AND subject = ''
""")
MARK_TOLD = text("""
    UPDATE admission_counters SET wait_notified_until = :until
    WHERE workspace_id = :workspace_id AND subject = :customer_id
""")
MARK_REFUSED = text("""
    INSERT INTO admission_counters (workspace_id, subject, minute_tat, hour_tat, refusal_notified_until)
    VALUES (:workspace_id, :customer_id, :now, :now, :until)
    ON CONFLICT (workspace_id, subject) DO UPDATE SET refusal_notified_until = :until
        WHERE admission_counters.refusal_notified_until <= :now
            OR admission_counters.refusal_notified_until > :farthest
""")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one message adds to the two rows."""

    customer_minute: float
    """Seconds, as the other rates."""
    customer_hour: float
    workspace_minute: float
    customer_step: int
    """Ranks; 0 for a message that begins no turn."""
    workspace_step: int


@dataclass(frozen=True, slots=True)
class Counter:
    """A customer's row, or a workspace's."""

    arrivals: ArrivalTimes
    rank: int
    """Of the newest turn."""
    wait_notified_until: float = 0.0
    """Until when the customer knows that their messages wait."""


@dataclass(frozen=True, slots=True)
class Charged:
    """Both rows with the message in them."""

    customer: Counter
    workspace: Counter


async def charge(connection: AsyncConnection, workspace_id: str, customer_id: str, cost: Cost, now: float) -> Charged:
    """Count a message in the rows of its customer and its workspace."""
    values = {
        "workspace_id": workspace_id,
        "customer_id": customer_id,
        "now": now,
        "customer_minute": cost.customer_minute,
        "customer_hour": cost.customer_hour,
        "workspace_minute": cost.workspace_minute,
        "customer_step": cost.customer_step,
        "workspace_step": cost.workspace_step,
    }
    rows = {row.subject: _counter(row) for row in await connection.execute(CHARGE, values)}
    return Charged(rows[customer_id], rows[WORKSPACE_SUBJECT])


async def refund_workspace(connection: AsyncConnection, workspace_id: str, *, minute: float, step: int) -> None:
    """Take a message, or its turn, out of the workspace's row again."""
    await connection.execute(REFUND_WORKSPACE, {"workspace_id": workspace_id, "minute": minute, "step": step})


async def mark_told(connection: AsyncConnection, workspace_id: str, customer_id: str, until: float) -> None:
    """Note until when the customer knows that their messages wait."""
    await connection.execute(MARK_TOLD, {"workspace_id": workspace_id, "customer_id": customer_id, "until": until})


async def mark_refused(
    connection: AsyncConnection, workspace_id: str, customer_id: str, seconds: float, now: float
) -> bool:
    """Note that a message was refused for so many seconds; false if the customer has been told of a refusal."""
    until = now + seconds + REFUSAL_SECONDS
    keys = {"workspace_id": workspace_id, "customer_id": customer_id, "now": now, "until": until}
    # A moment further ahead than any refusal lasts was written before the clock was set back.
    keys["farthest"] = now + LONGEST_REFUSAL + REFUSAL_SECONDS
    return bool((await connection.execute(MARK_REFUSED, keys)).rowcount)


async def forget_paid_off(database: Database) -> int:
    """Delete the rows that say no more than none would; gives how many."""
    now = clock.timestamp()
    row = admission_counters.c
    moments = (row.minute_tat, row.hour_tat, row.wait_notified_until, row.refusal_notified_until, row.rank)
    paid_off = and_(*(moment < now for moment in moments))
    which, forget = select(row.subject).where(paid_off), delete(admission_counters).where(paid_off)
    return await change_in_batches(database, which, forget, row.subject)


def _counter(row: Row[Any]) -> Counter:
    return Counter(ArrivalTimes(row.minute_tat, row.hour_tat), row.rank, row.wait_notified_until)
