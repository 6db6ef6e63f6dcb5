"""Workspaces, the people in them, and what they write again and again."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, false

from storage.database.tables.base import Json, id_column, metadata, moment, reference, workspace_column

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

accounts = Table(
    "accounts",
    metadata,
    id_column(),
    Column("email", String(320), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    # NULL: no password can be trusted; `deskhand member reset` sets one.
    Column("password_hash", String(200)),
    Column("is_operator", Boolean, nullable=False, server_default=false()),
    Column("must_change_password", Boolean, nullable=False, server_default=false()),
    moment("created_at"),
)

members = Table(
    "members",
    metadata,
    id_column(),
    workspace_column(),
    # NULL: written by a process of the version before.
    reference("account_id", "accounts", nullable=True),
    Column("email", String(320), nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    # The account's; this column and the next are for a process of the version before.
    Column("password_hash", String(200), nullable=False),
    Column("token_version", Integer, nullable=False, server_default="0"),
    moment("created_at"),
    # NULL: has a login. The row stays for the name at what the person wrote and decided.
    moment("removed_at", nullable=True),
    UniqueConstraint("workspace_id", "email"),
    Index(None, "email"),
    Index(None, "account_id"),
)

sessions = Table(
    "sessions",
    metadata,
    id_column(),
    reference("account_id", "accounts"),
    # As whom it acts; the account's other members are a switch away.
    reference("member_id", "members"),
    Column("user_agent", String(200), nullable=False, server_default=""),
    Column("address", String(64), nullable=False, server_default=""),
    moment("created_at"),
    moment("last_seen_at"),
    moment("expires_at"),
    moment("ended_at", nullable=True),
    Index(None, "account_id"),
    Index(None, "member_id"),
    Index(None, "expires_at"),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    # A hash of whose attempts they are (storage/accounts/login_limits.py).
    Column("key", String(64), primary_key=True),
    Column("attempts", Integer, nullable=False),
    moment("ends_at"),
    Index(None, "ends_at"),
)

invitations = Table(
    "invitations",
    metadata,
    # A hash: who reads the rows cannot use the links.
    Column("token_hash", String(64), primary_key=True),
    moment("created_at"),
    moment("expires_at"),
    moment("used_at", nullable=True),
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
