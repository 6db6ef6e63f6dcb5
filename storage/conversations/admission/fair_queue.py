"""Fair queueing, self-clocked (SCFQ): the rank of a turn is its virtual finish time, fixed when it is queued.

The virtual time is the rank of the turn that is served next. A new turn starts where its customer's (and its
workspace's) last one ended, or at the virtual time if that is later, and takes a step. So each round of ranks serves
one turn of a customer and a few of a workspace: who has many turns waiting has them spread over as many rounds, and who
comes later begins in the round that is being served.

Ranks count in seconds since 1970 only so that what was taken before the queue was last empty is forgotten by itself.
S. J. Golestani, "A self-clocked fair queueing scheme for broadband applications", INFOCOM 1994.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock

VIRTUAL_TIME = "coalesce((SELECT min(rank) FROM turns WHERE status = 'queued'), CAST(:now AS BIGINT))"
READ_VIRTUAL_TIME = text(f"SELECT {VIRTUAL_TIME}")


@dataclass(frozen=True, slots=True)
class FairQueue:
    """The steps by which a turn moves the ranks of its customer and of its workspace on; the higher one is its own."""

    customer_step: int = 10
    workspace_step: int = 1
    """So each round serves one turn of a customer and ten of a workspace."""

    def is_crowd(self, customer_rank: int, workspace_rank: int) -> bool:
        """Whether the customer's own earlier turns, and nobody else's, put this one into a later round."""
        return customer_rank - workspace_rank > self.customer_step


async def virtual_time(connection: AsyncConnection) -> int:
    """The rank of the round that is being served."""
    return int((await connection.execute(READ_VIRTUAL_TIME, {"now": clock.timestamp()})).scalar_one())
