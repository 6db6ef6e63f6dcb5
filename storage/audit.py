"""The audit trail: what happened to a conversation and who did it, written in the transaction that does it."""

from typing import Any

from sqlalchemy import RowMapping, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.tables import audit_events
from storage.records import AuditEvent, new_id

RECORD = insert(audit_events)


async def record(
    connection: AsyncConnection,
    kind: str,
    workspace_id: str,
    *,
    conversation_id: str | None = None,
    turn_id: str | None = None,
    member_id: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Write one event; it commits or vanishes with what it tells of."""
    await connection.execute(
        RECORD,
        {
            "id": new_id(),
            "workspace_id": workspace_id,
            "kind": kind,
            "conversation_id": conversation_id,
            "turn_id": turn_id,
            "member_id": member_id,
            "data": data or {},
            "at": clock.now(),
        },
    )


def event_from_row(row: RowMapping) -> AuditEvent:
    """The record of a row of the table `audit_events`."""
    return AuditEvent(
        id=row["id"],
        workspace_id=row["workspace_id"],
        kind=row["kind"],
        at=row["at"],
        conversation_id=row["conversation_id"],
        turn_id=row["turn_id"],
        member_id=row["member_id"],
        data=dict(row["data"]),
    )
