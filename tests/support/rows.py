"""The rows behind a store, for tests that look at them or change them by hand."""

from sqlalchemy import select

from storage import audit
from storage.database.engine import Database
from storage.database.tables import audit_events, deliveries
from storage.records import AuditEvent, DeliveryStatus
from storage.store import Store


def database_of(store: Store) -> Database:
    """The store's own database, which it shows to nobody else."""
    return store.cluster._database


async def audit_trail(store: Store, workspace_id: str, conversation_id: str) -> list[AuditEvent]:
    """Every event of a conversation, oldest first."""
    query = (
        select(audit_events)
        .where(audit_events.c.workspace_id == workspace_id, audit_events.c.conversation_id == conversation_id)
        .order_by(audit_events.c.at, audit_events.c.id)
    )
    async with database_of(store).read() as connection:
        return [audit.event_from_row(row) for row in (await connection.execute(query)).mappings()]


async def is_delivered(store: Store) -> bool:
    """Whether nothing is on its way to a channel."""
    pending = select(deliveries.c.id).where(deliveries.c.status == DeliveryStatus.PENDING).limit(1)
    async with database_of(store).read() as connection:
        return (await connection.execute(pending)).first() is None
