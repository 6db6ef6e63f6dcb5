"""What the processes of a deployment say of themselves."""

from sqlalchemy import Boolean, Column, String, Table, Text

from storage.database.tables.base import metadata, moment

channel_statuses = Table(
    "channel_statuses",
    metadata,
    # What one process says of its connection to a chat platform (storage/cluster/channel_status.py).
    Column("process_id", String(32), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("is_on", Boolean, nullable=False),
    moment("connected_since", nullable=True),
    moment("last_event_at", nullable=True),
    Column("last_error", Text, nullable=False, server_default=""),
    moment("last_error_at", nullable=True),
    moment("heartbeat_at"),
)
