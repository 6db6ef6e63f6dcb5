"""Every table; each row belongs to exactly one workspace, but for what processes say of themselves."""

from storage.database.tables.accounts import canned_replies, customers, members, workspaces
from storage.database.tables.audit import audit_events
from storage.database.tables.base import Utc, metadata
from storage.database.tables.channels import cards, identities, installations, marks, places
from storage.database.tables.cluster import channel_states
from storage.database.tables.conversations import conversations, deliveries, early_changes, feedback, messages, shares
from storage.database.tables.knowledge import chunks, documents
from storage.database.tables.turns import decisions, drafts, labels, reviews, turns

__all__ = [
    "Utc",
    "audit_events",
    "canned_replies",
    "cards",
    "channel_states",
    "chunks",
    "conversations",
    "customers",
    "decisions",
    "deliveries",
    "documents",
    "drafts",
    "early_changes",
    "feedback",
    "identities",
    "installations",
    "labels",
    "marks",
    "members",
    "messages",
    "metadata",
    "places",
    "reviews",
    "shares",
    "turns",
    "workspaces",
]
