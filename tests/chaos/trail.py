"""What the rows say after the storm, read once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, select

from storage.database.engine import Database
from storage.database.tables import (
    audit_events,
    conversations,
    decisions,
    deliveries,
    messages,
    reviews,
    turns,
)

Row = dict[str, Any]


@dataclass
class Trail:
    """The rows of every conversation; each row is a dictionary by column name."""

    conversations: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    """In the order of their conversation."""
    turns: list[Row] = field(default_factory=list)
    reviews: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    """The audit trail, oldest first."""


async def read_trail(database: Database) -> Trail:
    """Everything at one moment."""
    async with database.read() as connection:

        async def rows(table: Table, *order: str) -> list[Row]:
            columns = [column for column in table.c if column.name != "settings"]
            found = await connection.execute(select(*columns).order_by(*(table.c[name] for name in order)))
            return [dict(row) for row in found.mappings()]

        return Trail(
            conversations=await rows(conversations, "id"),
            messages=await rows(messages, "conversation_id", "seq"),
            turns=await rows(turns, "created_at", "id"),
            reviews=await rows(reviews, "turn_id", "version"),
            decisions=await rows(decisions, "created_at"),
            deliveries=await rows(deliveries, "conversation_id", "seq"),
            events=await rows(audit_events, "at", "id"),
        )


def by(rows: Iterable[Row], column: str) -> dict[Any, list[Row]]:
    """The rows by the value of a column, in their order."""
    found: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found
