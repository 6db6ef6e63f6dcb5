"""Every table; each row belongs to exactly one workspace."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps it without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Refuse naive times: they mean different moments on different machines."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Put the zone back that SQLite drops."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


Json = JSON().with_variant(JSONB(), "postgresql")


def _id() -> Column[Any]:
    return Column("id", String(32), primary_key=True)


def _workspace() -> Column[Any]:
    return Column("workspace_id", String(64), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False)


def _ref(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, String(32), ForeignKey(f"{target}.id", ondelete="CASCADE"), nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Utc, nullable=nullable)


workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("settings", Json, nullable=False),
    # Counts up with every change of the knowledge, so that each process knows when its keyword index is old.
    Column("knowledge_version", Integer, nullable=False, server_default="0"),
    _at("created_at"),
)

members = Table(
    "members",
    metadata,
    _id(),
    _workspace(),
    Column("email", String(320), nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(200), nullable=False),
    # Counts up with every password change: older logins end.
    Column("token_version", Integer, nullable=False, server_default="0"),
    _at("created_at"),
    # NULL: has a login. The row stays for the name at what the person wrote and decided.
    _at("removed_at", nullable=True),
    UniqueConstraint("workspace_id", "email"),
    Index(None, "email"),
)

customers = Table(
    "customers",
    metadata,
    _id(),
    _workspace(),
    Column("channel", String(16), nullable=False),
    Column("external_id", String(200), nullable=False),
    Column("name", String(200), nullable=False, server_default=""),
    Column("email", String(320)),
    Column("password_hash", String(200)),
    _at("created_at"),
    UniqueConstraint("workspace_id", "channel", "external_id"),
)

conversations = Table(
    "conversations",
    metadata,
    _id(),
    _workspace(),
    Column("channel", String(16), nullable=False),
    Column("thread", String(200), nullable=False),
    # Where in the channel the thread is (a Slack channel, a Discord forum), for its own mode; empty on the web.
    Column("place", String(200), nullable=False, server_default=""),
    _ref("customer_id", "customers"),
    Column("status", String(16), nullable=False),
    Column("subject", String(300), nullable=False, server_default=""),
    Column("intent", String(64)),
    Column("priority", String(16), nullable=False),
    _ref("assignee_id", "members", nullable=True),
    Column("summary", Text, nullable=False, server_default=""),
    Column("summary_seq", Integer, nullable=False, server_default="0"),
    Column("first_line", String(300), nullable=False, server_default=""),
    Column("last_seq", Integer, nullable=False, server_default="0"),
    # The newest customer message, and the newest one that has been answered.
    Column("customer_seq", Integer, nullable=False, server_default="0"),
    Column("answered_seq", Integer, nullable=False, server_default="0"),
    Column("bot_turns", Integer, nullable=False, server_default="0"),
    # Whether the customer knows already, in this wait, that a person will answer.
    Column("told_waiting", Boolean, nullable=False, server_default=text("false")),
    _at("created_at"),
    _at("updated_at"),
    _at("waiting_since", nullable=True),
    # When the members were last told that the customer waits too long for a person.
    _at("reminded_at", nullable=True),
    # When the customer was last told that the desk has a lot to do.
    _at("told_busy_at", nullable=True),
    _at("first_reply_at", nullable=True),
    _at("resolved_at", nullable=True),
    Index(
        "uq_conversations_live_thread",
        "workspace_id",
        "channel",
        "thread",
        unique=True,
        sqlite_where=text("status != 'closed'"),
        postgresql_where=text("status != 'closed'"),
    ),
    Index(None, "workspace_id", "status", "updated_at"),
    Index(None, "workspace_id", "updated_at"),
    Index(
        "ix_conversations_waiting",
        "waiting_since",
        sqlite_where=text("status IN ('pending', 'assigned')"),
        postgresql_where=text("status IN ('pending', 'assigned')"),
    ),
)

messages = Table(
    "messages",
    metadata,
    _id(),
    _workspace(),
    _ref("conversation_id", "conversations"),
    Column("channel", String(16), nullable=False),
    Column("external_id", String(200)),
    Column("seq", Integer, nullable=False),
    Column("author", String(16), nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("text", Text, nullable=False),
    # Files that came with the text and were not read into it: [{"name", "url", "media_type", "size"}].
    Column("attachments", Json),
    _ref("member_id", "members", nullable=True),
    # The turn that answered this customer message, or that this reply came from.
    Column("turn_id", String(32)),
    Column("draft_id", String(32)),
    _at("created_at"),
    UniqueConstraint("conversation_id", "seq"),
    UniqueConstraint("workspace_id", "channel", "external_id"),
    Index(None, "workspace_id", "created_at"),
)

turns = Table(
    "turns",
    metadata,
    _id(),
    _workspace(),
    _ref("conversation_id", "conversations"),
    Column("status", String(16), nullable=False),
    Column("outcome", String(16)),
    Column("upto_seq", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # Whether the checkpoint store holds this turn's thread, and which of its checkpoints the waiting draft is from.
    Column("checkpointed", Boolean, nullable=False, server_default=text("false")),
    Column("checkpoint_id", String(64)),
    # Queued turns are served by rank (storage/conversations/admission/fair_queue.py).
    Column("rank", BigInteger, nullable=False, server_default="0"),
    _at("due_at"),
    _at("created_at"),
    _at("finished_at", nullable=True),
    Index(None, "conversation_id", "status"),
    Index(
        "ix_turns_unfinished",
        "status",
        sqlite_where=text("status IN ('queued', 'waiting', 'decided')"),
        postgresql_where=text("status IN ('queued', 'waiting', 'decided')"),
    ),
    Index(
        "ix_turns_queued_rank",
        "rank",
        "due_at",
        sqlite_where=text("status = 'queued'"),
        postgresql_where=text("status = 'queued'"),
    ),
    Index(
        "ix_turns_queued_due",
        "due_at",
        sqlite_where=text("status = 'queued'"),
        postgresql_where=text("status = 'queued'"),
    ),
    Index(None, "workspace_id", "finished_at"),
    # Those that wait, and those that a crash left marked.
    Index(
        "ix_turns_checkpointed", "status", sqlite_where=text("checkpointed = 1"), postgresql_where=text("checkpointed")
    ),
)

drafts = Table(
    "drafts",
    metadata,
    _id(),
    _workspace(),
    _ref("turn_id", "turns"),
    Column("version", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("sentences", Json, nullable=False),
    Column("citations", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("follow_ups", Json, nullable=False),
    Column("triage", Json, nullable=False),
    Column("question", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("can_answer", Boolean, nullable=False),
    Column("model", String(200), nullable=False),
    Column("prompt_version", String(64), nullable=False),
    _at("created_at"),
    Index(None, "turn_id"),
)

reviews = Table(
    "reviews",
    metadata,
    _id(),
    _workspace(),
    _ref("conversation_id", "conversations"),
    _ref("turn_id", "turns"),
    _ref("draft_id", "drafts"),
    Column("version", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("held_because", Json, nullable=False),
    _ref("claimed_by", "members", nullable=True),
    _at("created_at"),
    _at("closed_at", nullable=True),
    UniqueConstraint("turn_id", "version"),
    Index(None, "workspace_id", "status", "created_at"),
    Index(None, "conversation_id", "status"),
)

decisions = Table(
    "decisions",
    metadata,
    _id(),
    _workspace(),
    _ref("review_id", "reviews"),
    _ref("member_id", "members"),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("guidance", Text, nullable=False, server_default=""),
    Column("based_on", Integer, nullable=False),
    _at("created_at"),
    # The first decision wins, whatever races.
    UniqueConstraint("review_id"),
    Index(None, "workspace_id", "created_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    _workspace(),
    _ref("conversation_id", "conversations"),
    _ref("message_id", "messages"),
    Column("channel", String(16), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    # Tries that were begun, and those that went wrong for another reason than that the platform asked to wait.
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("external_id", String(200)),
    Column("error", String(500)),
    _at("next_at"),
    _at("created_at"),
    _at("finished_at", nullable=True),
    UniqueConstraint("message_id"),
    Index(None, "conversation_id", "status", "seq"),
    Index(
        "ix_deliveries_pending",
        "status",
        sqlite_where=text("status = 'pending'"),
        postgresql_where=text("status = 'pending'"),
    ),
    # What ended since the last scrape of the metrics.
    Index(None, "finished_at"),
)

labels = Table(
    "labels",
    metadata,
    _id(),
    _workspace(),
    _ref("draft_id", "drafts"),
    Column("source", String(16), nullable=False),
    Column("correct", Boolean, nullable=False),
    _ref("member_id", "members", nullable=True),
    _at("created_at"),
    UniqueConstraint("draft_id", "source"),
    Index(None, "workspace_id", "created_at"),
)

feedback = Table(
    "feedback",
    metadata,
    _id(),
    _workspace(),
    _ref("conversation_id", "conversations"),
    _ref("message_id", "messages"),
    Column("vote", String(8), nullable=False),
    Column("comment", Text, nullable=False, server_default=""),
    _at("created_at"),
    UniqueConstraint("message_id"),
    Index(None, "workspace_id", "created_at"),
)

documents = Table(
    "documents",
    metadata,
    _id(),
    _workspace(),
    Column("filename", String(300), nullable=False),
    Column("status", String(16), nullable=False),
    Column("entries", Integer, nullable=False, server_default="0"),
    Column("refused", Json, nullable=False),
    Column("error", Text),
    Column("size", Integer, nullable=False),
    # Kept whole: a load that a crash cut off starts again from here, and readers may improve.
    Column("content", LargeBinary, nullable=False),
    _ref("created_by", "members", nullable=True),
    # Percent made searchable so far, while it is loading.
    Column("progress", Integer, nullable=False, server_default="0"),
    _at("created_at"),
    Index(None, "workspace_id", "created_at"),
    # Holds all that the metrics count, so that the contents are not read.
    Index(None, "status", "entries"),
)

chunks = Table(
    "chunks",
    metadata,
    _id(),
    _workspace(),
    _ref("document_id", "documents"),
    Column("kind", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("alternatives", Json, nullable=False),
    Column("tags", Json, nullable=False),
    Column("position", Integer, nullable=False),
    # Where customers can read it; empty: it has no public address.
    Column("url", Text, nullable=False, server_default=""),
    Index(None, "workspace_id"),
    Index(None, "document_id", "position"),
)

canned_replies = Table(
    "canned_replies",
    metadata,
    _id(),
    _workspace(),
    Column("title", String(200), nullable=False),
    Column("text", Text, nullable=False),
    _at("created_at"),
    UniqueConstraint("workspace_id", "title"),
)

audit_events = Table(
    "audit_events",
    metadata,
    _id(),
    _workspace(),
    Column("kind", String(64), nullable=False),
    Column("conversation_id", String(32)),
    Column("turn_id", String(32)),
    Column("member_id", String(32)),
    Column("data", Json, nullable=False),
    _at("at"),
    Index(None, "workspace_id", "at"),
    Index(None, "conversation_id", "at"),
)

places = Table(
    "places",
    metadata,
    _id(),
    _workspace(),
    Column("channel", String(16), nullable=False),
    # The Slack team or Discord guild.
    Column("team", String(64), nullable=False, server_default=""),
    Column("external_id", String(200), nullable=False),
    Column("name", String(200), nullable=False, server_default=""),
    # NULL: no support channel, mentions follow the workspace's mode.
    Column("mode", String(16)),
    Column("is_staff", Boolean, nullable=False, server_default=text("false")),
    _at("created_at"),
    UniqueConstraint("workspace_id", "channel", "external_id"),
)

identities = Table(
    "identities",
    metadata,
    _id(),
    _workspace(),
    _ref("member_id", "members"),
    Column("channel", String(16), nullable=False),
    Column("external_id", String(200), nullable=False),
    _at("created_at"),
    UniqueConstraint("workspace_id", "channel", "external_id"),
    Index(None, "member_id"),
)

cards = Table(
    "cards",
    metadata,
    _id(),
    _workspace(),
    _ref("review_id", "reviews"),
    Column("version", Integer, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("team", String(64), nullable=False, server_default=""),
    # Where the card was posted, and the platform's id of it; NULL until the platform has answered.
    Column("place", String(200), nullable=False),
    Column("external_id", String(200)),
    # The review's status as the card shows it.
    Column("shows", String(16), nullable=False),
    _at("created_at"),
    UniqueConstraint("review_id", "channel", "place"),
    Index(None, "channel", "shows"),
)

installations = Table(
    "installations",
    metadata,
    _id(),
    _workspace(),
    Column("channel", String(16), nullable=False),
    # The Slack team or Discord guild: it belongs to one workspace.
    Column("team", String(64), nullable=False),
    Column("enterprise", String(64), nullable=False, server_default=""),
    Column("name", String(200), nullable=False, server_default=""),
    Column("bot_user", String(64), nullable=False, server_default=""),
    # Tokens and what else the platform gave, encrypted; empty where the token comes from the environment.
    Column("sealed", Text, nullable=False, server_default=""),
    _at("created_at"),
    UniqueConstraint("channel", "team"),
)

marks = Table(
    "marks",
    metadata,
    _id(),
    _workspace(),
    Column("channel", String(16), nullable=False),
    # The Discord guild in which everything up to this time was heard: a lost session is read from there.
    Column("team", String(64), nullable=False),
    _at("heard_at"),
    UniqueConstraint("channel", "team"),
)

channel_states = Table(
    "channel_states",
    metadata,
    # What one process says of its connection to a chat platform (storage/cluster/channel_status.py).
    Column("process_id", String(32), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("is_on", Boolean, nullable=False),
    _at("connected_since", nullable=True),
    _at("last_event_at", nullable=True),
    Column("last_error", Text, nullable=False, server_default=""),
    _at("last_error_at", nullable=True),
    _at("seen_at"),
)

early_changes = Table(
    "early_changes",
    metadata,
    _id(),
    _workspace(),
    Column("channel", String(16), nullable=False),
    Column("external_id", String(200), nullable=False),
    # The new text of a message that has not arrived yet; NULL: it was deleted.
    Column("text", Text),
    _at("created_at"),
    UniqueConstraint("workspace_id", "channel", "external_id"),
)

shares = Table(
    "shares",
    metadata,
    # What a customer, or the whole workspace (empty subject), has taken of the desk
    # (storage/conversations/admission/counters.py).
    Column("workspace_id", String(64), ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", String(32), primary_key=True),
    # When what was written is paid off at the rates per minute and per hour: seconds since 1970.
    Column("minute_at", Float, nullable=False),
    Column("hour_at", Float, nullable=False),
    # Until when the customer knows that there was too much, and that some of it was not taken.
    Column("told_until", Float, nullable=False, server_default="0"),
    Column("refused_until", Float, nullable=False, server_default="0"),
    # The rank of the newest turn.
    Column("rank", BigInteger, nullable=False, server_default="0"),
)
