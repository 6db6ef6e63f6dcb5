"""The audit trail."""

from sqlalchemy import Column, Index, String, Table

from storage.database.tables.base import Json, id_column, metadata, moment, workspace_column

audit_events = Table(
    "audit_events",
    metadata,
    id_column(),
    workspace_column(),
    Column("kind", String(64), nullable=False),
    Column("conversation_id", String(32)),
    Column("turn_id", String(32)),
    Column("member_id", String(32)),
    Column("data", Json, nullable=False),
    moment("at"),
    Index(None, "workspace_id", "at"),
    Index(None, "conversation_id", "at"),
)
