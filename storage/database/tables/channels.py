"""Chat platforms: installations, places, people, cards, and how far each server was read."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from storage.database.tables.base import id_column, metadata, moment, reference, workspace_column

installations = Table(
    "installations",
    metadata,
    id_column(),
    workspace_column(),
    Column("channel", String(16), nullable=False),
    # The Slack team or Discord guild: it belongs to one workspace.
    Column("team", String(64), nullable=False),
    Column("enterprise", String(64), nullable=False, server_default=""),
    Column("name", String(200), nullable=False, server_default=""),
    Column("bot_user", String(64), nullable=False, server_default=""),
    # Tokens and what else the platform gave, encrypted; empty where the token comes from the environment.
    Column("encrypted_secrets", Text, nullable=False, server_default=""),
    moment("created_at"),
    UniqueConstraint("channel", "team"),
)

places = Table(
    "places",
    metadata,
    id_column(),
    workspace_column(),
    Column("channel", String(16), nullable=False),
    # The Slack team or Discord guild.
    Column("team", String(64), nullable=False, server_default=""),
    Column("external_id", String(200), nullable=False),
    Column("name", String(200), nullable=False, server_default=""),
    # NULL: no support channel, mentions follow the workspace's mode.
    Column("mode", String(16)),
    Column("is_staff", Boolean, nullable=False, server_default=text("false")),
    moment("created_at"),
    UniqueConstraint("workspace_id", "channel", "external_id"),
)

identities = Table(
    "identities",
    metadata,
    id_column(),
    workspace_column(),
    reference("member_id", "members"),
    Column("channel", String(16), nullable=False),
    Column("external_id", String(200), nullable=False),
    moment("created_at"),
    UniqueConstraint("workspace_id", "channel", "external_id"),
    Index(None, "member_id"),
)

review_cards = Table(
    "review_cards",
    metadata,
    id_column(),
    workspace_column(),
    reference("review_id", "reviews"),
    Column("version", Integer, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("team", String(64), nullable=False, server_default=""),
    # Where the card was posted, and the platform's id of it; NULL until the platform has answered.
    Column("place", String(200), nullable=False),
    Column("external_id", String(200)),
    # The review's status as the card shows it.
    Column("shown_status", String(16), nullable=False),
    moment("created_at"),
    UniqueConstraint("review_id", "channel", "place"),
    Index(None, "channel", "shown_status"),
)

read_cursors = Table(
    "read_cursors",
    metadata,
    id_column(),
    workspace_column(),
    Column("channel", String(16), nullable=False),
    # The Discord guild in which everything up to this time was heard: a lost session is read from there.
    Column("team", String(64), nullable=False),
    moment("read_until"),
    UniqueConstraint("channel", "team"),
)
