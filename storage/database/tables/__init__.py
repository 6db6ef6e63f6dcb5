"""Every table; each row belongs to one workspace, but for the deployment's own and what processes say of themselves."""

from storage.database.tables.accounts import (
    accounts,
    canned_replies,
    customers,
    deployment,
    invitations,
    login_attempts,
    members,
    sessions,
    workspaces,
)
from storage.database.tables.audit import audit_events
from storage.database.tables.base import Utc, metadata
from storage.database.tables.channels import identities, installations, places, read_cursors, review_cards
from storage.database.tables.cluster import channel_statuses
from storage.database.tables.conversations import (
    admission_counters,
    conversations,
    deliveries,
    early_edits,
    feedback,
    messages,
)
from storage.database.tables.knowledge import chunks, documents
from storage.database.tables.turns import decisions, drafts, labels, reviews, turns

__all__ = [
    "Utc",
    "accounts",
    "admission_counters",
    "audit_events",
    "canned_replies",
    "channel_statuses",
    "chunks",
    "conversations",
    "customers",
    "decisions",
    "deliveries",
    "deployment",
    "documents",
    "drafts",
    "early_edits",
    "feedback",
    "identities",
    "installations",
    "invitations",
    "labels",
    "login_attempts",
    "members",
    "messages",
    "metadata",
    "places",
    "read_cursors",
    "review_cards",
    "reviews",
    "sessions",
    "turns",
    "workspaces",
]
