"""SQL of the metrics: each query is answered by indexes, over what waits or has just ended."""

from typing import Any

from sqlalchemy import Select, bindparam, func, select

from storage.database.tables import (
    deliveries,
    documents,
    reviews,
    turns,
    workspaces,
)
from storage.records import (
    DeliveryStatus,
    DocumentStatus,
    ReviewStatus,
    TurnStatus,
)

# The indexes begin with the workspace. A subquery, because SQLite would read a joined table whole.
_workspaces = select(workspaces.c.id)

WAITING_REVIEWS = select(func.count(), func.min(reviews.c.created_at)).where(
    reviews.c.workspace_id.in_(_workspaces), reviews.c.status == ReviewStatus.PENDING
)

_decided = (
    select(func.max(reviews.c.closed_at).label("since"))
    .select_from(turns.join(reviews, reviews.c.turn_id == turns.c.id))
    .where(turns.c.status == TurnStatus.DECIDED)
    .group_by(turns.c.id)
    .subquery()
)

QUEUES: dict[str, Select[int, Any]] = {
    "answer": select(func.count(), func.min(turns.c.due_at)).where(turns.c.status == TurnStatus.QUEUED),
    "resume": select(func.count(), func.min(_decided.c.since)).select_from(_decided),
    # Not by `next_attempt_at`: a reply whose channel is away is put off again and again, and waits all the while.
    "deliver": select(func.count(), func.min(deliveries.c.created_at)).where(
        deliveries.c.status == DeliveryStatus.PENDING
    ),
    "load": select(func.count(), func.min(documents.c.created_at)).where(documents.c.status == DocumentStatus.LOADING),
}
"""By job kind: how many rows ask for a job, and since when the oldest of them does."""

KNOWLEDGE = select(documents.c.status, func.count(), func.sum(documents.c.entries)).group_by(documents.c.status)

ENDED_TURNS = select(turns.c.outcome, turns.c.created_at, turns.c.finished_at).where(
    turns.c.workspace_id.in_(_workspaces),
    turns.c.finished_at > bindparam("since"),
    turns.c.finished_at <= bindparam("until"),
    turns.c.outcome.is_not(None),
)

ENDED_DELIVERIES = select(
    deliveries.c.channel, deliveries.c.status, deliveries.c.created_at, deliveries.c.finished_at
).where(deliveries.c.finished_at > bindparam("since"), deliveries.c.finished_at <= bindparam("until"))
