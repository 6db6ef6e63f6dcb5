"""Activity feed: the latest audit events of a workspace, and replies that did not arrive."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage import audit
from storage.database.engine import Database
from storage.database.tables import (
    audit_events,
    conversations,
    customers,
    deliveries,
    members,
)
from storage.records import AuditEvent, DeliveryStatus


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An audit event with names instead of ids."""

    event: AuditEvent
    subject: str
    """The conversation's; empty when the event is about none."""
    member_name: str
    """Empty when nobody did it by hand."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A reply that did not reach its channel."""

    conversation_id: str
    customer_name: str
    channel: str
    status: DeliveryStatus
    """`failed`, or `pending` with tries behind it."""
    attempts: int
    error: str
    created_at: datetime


class Activity:
    """Reads the latest of a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest_events(self, workspace_id: str, limit: int = 50) -> tuple[AuditLine, ...]:
        """The newest events first."""
        query = (
            select(audit_events, conversations.c.subject, members.c.name.label("member_name"))
            .outerjoin(conversations, conversations.c.id == audit_events.c.conversation_id)
            .outerjoin(members, members.c.id == audit_events.c.member_id)
            .where(audit_events.c.workspace_id == workspace_id)
            .order_by(audit_events.c.at.desc(), audit_events.c.id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(
            AuditLine(audit.event_from_row(row), row["subject"] or "", row["member_name"] or "") for row in rows
        )

    async def undelivered(self, workspace_id: str, limit: int = 20) -> tuple[Undelivered, ...]:
        """Replies that failed or are being tried again, the newest first."""
        retried = (deliveries.c.status == DeliveryStatus.PENDING) & (deliveries.c.error.is_not(None))
        query = (
            select(deliveries, customers.c.name.label("customer_name"))
            .join(conversations, conversations.c.id == deliveries.c.conversation_id)
            .join(customers, customers.c.id == conversations.c.customer_id)
            .where(deliveries.c.workspace_id == workspace_id, (deliveries.c.status == DeliveryStatus.FAILED) | retried)
            .order_by(deliveries.c.created_at.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(
            Undelivered(
                conversation_id=row["conversation_id"],
                customer_name=row["customer_name"],
                channel=row["channel"],
                status=DeliveryStatus(row["status"]),
                attempts=row["attempts"],
                error=row["error"] or "",
                created_at=row["created_at"],
            )
            for row in rows
        )
