"""The audit trail: what happened to a conversation and who did it, written in the transaction that does it."""

from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.tables import audit_events
from storage.records import new_id

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
