"""Turns of the graph: drafts, reviews, decisions and what these say about drafts."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, UniqueConstraint, text

from storage.database.tables.base import Json, id_column, metadata, moment, reference, workspace_column

turns = Table(
    "turns",
    metadata,
    id_column(),
    workspace_column(),
    reference("conversation_id", "conversations"),
    Column("status", String(16), nullable=False),
    Column("outcome", String(16)),
    Column("upto_seq", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # Whether the checkpoint store holds this turn's thread, and which of its checkpoints the waiting draft is from.
    Column("checkpointed", Boolean, nullable=False, server_default=text("false")),
    Column("checkpoint_id", String(64)),
    # Queued turns are served by rank (storage/conversations/admission/fair_queue.py).
    Column("rank", BigInteger, nullable=False, server_default="0"),
    moment("due_at"),
    # When `due_at` was set: when it lies ahead, the clock was set back, and the turn is due.
    moment("due_set_at", nullable=True),
    moment("created_at"),
    moment("finished_at", nullable=True),
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
    id_column(),
    workspace_column(),
    reference("turn_id", "turns"),
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
    moment("created_at"),
    Index(None, "turn_id"),
)

reviews = Table(
    "reviews",
    metadata,
    id_column(),
    workspace_column(),
    reference("conversation_id", "conversations"),
    reference("turn_id", "turns"),
    reference("draft_id", "drafts"),
    Column("version", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("held_because", Json, nullable=False),
    reference("claimed_by", "members", nullable=True),
    moment("created_at"),
    moment("closed_at", nullable=True),
    UniqueConstraint("turn_id", "version"),
    Index(None, "workspace_id", "status", "created_at"),
    Index(None, "conversation_id", "status"),
)

decisions = Table(
    "decisions",
    metadata,
    id_column(),
    workspace_column(),
    reference("review_id", "reviews"),
    reference("member_id", "members"),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("guidance", Text, nullable=False, server_default=""),
    Column("based_on", Integer, nullable=False),
    moment("created_at"),
    # The first decision wins, whatever races.
    UniqueConstraint("review_id"),
    Index(None, "workspace_id", "created_at"),
)

labels = Table(
    "labels",
    metadata,
    id_column(),
    workspace_column(),
    reference("draft_id", "drafts"),
    Column("source", String(16), nullable=False),
    Column("correct", Boolean, nullable=False),
    reference("member_id", "members", nullable=True),
    moment("created_at"),
    UniqueConstraint("draft_id", "source"),
    Index(None, "workspace_id", "created_at"),
)
