"""Workspaces, the people in them, and what they write again and again."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from storage.database.tables.base import Json, id_column, metadata, moment, workspace_column

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("settings", Json, nullable=False),
    # Counts up with every change of the knowledge, so that each process knows when its keyword index is old.
    Column("knowledge_version", Integer, nullable=False, server_default="0"),
    moment("created_at"),
)

deployment = Table(
    "deployment",
    metadata,
    # What is decided for all workspaces together (storage/accounts/deployment.py).
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    moment("changed_at"),
)

members = Table(
    "members",
    metadata,
    id_column(),
    workspace_column(),
    Column("email", String(320), nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(200), nullable=False),
    # Counts up with every password change: older logins end.
    Column("token_version", Integer, nullable=False, server_default="0"),
    moment("created_at"),
    # NULL: has a login. The row stays for the name at what the person wrote and decided.
    moment("removed_at", nullable=True),
    UniqueConstraint("workspace_id", "email"),
    Index(None, "email"),
)

customers = Table(
    "customers",
    metadata,
    id_column(),
    workspace_column(),
    Column("channel", String(16), nullable=False),
    Column("external_id", String(200), nullable=False),
    Column("name", String(200), nullable=False, server_default=""),
    Column("email", String(320)),
    Column("password_hash", String(200)),
    moment("created_at"),
    UniqueConstraint("workspace_id", "channel", "external_id"),
)

canned_replies = Table(
    "canned_replies",
    metadata,
    id_column(),
    workspace_column(),
    Column("title", String(200), nullable=False),
    Column("text", Text, nullable=False),
    moment("created_at"),
    UniqueConstraint("workspace_id", "title"),
)
