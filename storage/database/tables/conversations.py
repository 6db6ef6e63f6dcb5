"""Conversations: their messages, replies on their way, votes, and what admission control counts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.database.tables.base import Json, id_column, metadata, moment, reference, workspace_column

conversations = Table(
    "conversations",
    metadata,
    id_column(),
    workspace_column(),
    Column("channel", String(16), nullable=False),
    Column("thread", String(200), nullable=False),
    # Where in the channel the thread is (a Slack channel, a Discord forum), for its own mode; empty on the web.
    Column("place", String(200), nullable=False, server_default=""),
    reference("customer_id", "customers"),
    Column("status", String(16), nullable=False),
    Column("subject", String(300), nullable=False, server_default=""),
    Column("intent", String(64)),
    Column("priority", String(16), nullable=False),
    reference("assignee_id", "members", nullable=True),
    Column("summary", Text, nullable=False, server_default=""),
    Column("summary_seq", Integer, nullable=False, server_default="0"),
    Column("first_line", String(300), nullable=False, server_default=""),
    Column("last_seq", Integer, nullable=False, server_default="0"),
    # The newest customer message, and the newest one that has been answered.
    Column("customer_seq", Integer, nullable=False, server_default="0"),
    Column("answered_seq", Integer, nullable=False, server_default="0"),
    Column("bot_turns", Integer, nullable=False, server_default="0"),
    # Whether the customer knows already, in this wait, that a person will answer.
    Column("waiting_notified", Boolean, nullable=False, server_default=text("false")),
    moment("created_at"),
    moment("updated_at"),
    moment("waiting_since", nullable=True),
    # When the members were last told that the customer waits too long for a person.
    moment("sla_reminded_at", nullable=True),
    # When the customer was last told that the desk has a lot to do.
    moment("busy_notified_at", nullable=True),
    moment("first_reply_at", nullable=True),
    moment("resolved_at", nullable=True),
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
    id_column(),
    workspace_column(),
    reference("conversation_id", "conversations"),
    Column("channel", String(16), nullable=False),
    Column("external_id", String(200)),
    Column("seq", Integer, nullable=False),
    Column("author", String(16), nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("text", Text, nullable=False),
    # Files that came with the text and were not read into it: [{"name", "url", "media_type", "size"}].
    Column("attachments", Json),
    reference("member_id", "members", nullable=True),
    # The turn that answered this customer message, or that this reply came from.
    Column("turn_id", String(32)),
    Column("draft_id", String(32)),
    moment("created_at"),
    UniqueConstraint("conversation_id", "seq"),
    UniqueConstraint("workspace_id", "channel", "external_id"),
    Index(None, "workspace_id", "created_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    id_column(),
    workspace_column(),
    reference("conversation_id", "conversations"),
    reference("message_id", "messages"),
    Column("channel", String(16), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    # Tries that were begun, and those that went wrong for another reason than that the platform asked to wait.
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("external_id", String(200)),
    Column("error", String(500)),
    moment("next_attempt_at"),
    moment("created_at"),
    moment("finished_at", nullable=True),
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

feedback = Table(
    "feedback",
    metadata,
    id_column(),
    workspace_column(),
    reference("conversation_id", "conversations"),
    reference("message_id", "messages"),
    Column("vote", String(8), nullable=False),
    Column("comment", Text, nullable=False, server_default=""),
    moment("created_at"),
    UniqueConstraint("message_id"),
    Index(None, "workspace_id", "created_at"),
)

early_edits = Table(
    "early_edits",
    metadata,
    id_column(),
    workspace_column(),
    Column("channel", String(16), nullable=False),
    Column("external_id", String(200), nullable=False),
    # The new text of a message that has not arrived yet; NULL: it was deleted.
    Column("text", Text),
    moment("created_at"),
    UniqueConstraint("workspace_id", "channel", "external_id"),
)

admission_counters = Table(
    "admission_counters",
    metadata,
    # What a customer, or the whole workspace (empty subject), has taken of the desk
    # (storage/conversations/admission/counters.py).
    Column("workspace_id", String(64), ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", String(32), primary_key=True),
    # When what was written is paid off at the rates per minute and per hour: seconds since 1970.
    Column("minute_tat", Float, nullable=False),
    Column("hour_tat", Float, nullable=False),
    # Until when the customer knows that there was too much, and that some of it was not taken.
    Column("wait_notified_until", Float, nullable=False, server_default="0"),
    Column("refusal_notified_until", Float, nullable=False, server_default="0"),
    # The rank of the newest turn.
    Column("rank", BigInteger, nullable=False, server_default="0"),
    # When a message was last counted: when it lies ahead, the clock was set back.
    Column("counted_at", Float, nullable=False, server_default="0"),
)
