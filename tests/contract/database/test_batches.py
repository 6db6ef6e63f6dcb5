"""Clean-up of many rows leaves room for messages in between, on both databases."""

import asyncio
from datetime import timedelta

from sqlalchemy import func, insert, select

from storage import clock
from storage.database.batches import BATCH
from storage.database.tables import conversations, customers, early_edits
from storage.records import ConversationStatus, Incoming, Priority, new_id
from storage.store import Store
from tests.support.rows import database_of

LONG_AGO = timedelta(days=30)
MANY = 30 * BATCH


async def resolved_conversations(store: Store, number: int) -> None:
    then = clock.now() - LONG_AGO
    customer = {"id": new_id(), "workspace_id": "demo", "channel": "web", "created_at": then}
    same = {"workspace_id": "demo", "channel": "web", "customer_id": customer["id"], "priority": Priority.MEDIUM}
    times = {"created_at": then, "updated_at": then, "resolved_at": then, "status": ConversationStatus.RESOLVED}
    rows = [{"id": new_id(), "thread": new_id(), **same, **times} for _ in range(number)]
    async with database_of(store).write() as connection:
        await connection.execute(insert(customers).values(**customer, external_id="c"))
        await connection.execute(insert(conversations), rows)


async def closed(store: Store) -> int:
    query = select(func.count()).where(conversations.c.status == ConversationStatus.CLOSED)
    async with database_of(store).read() as connection:
        return int((await connection.execute(query)).scalar_one())


async def test_a_message_is_accepted_in_the_middle_of_a_long_clean_up(store: Store) -> None:
    await resolved_conversations(store, MANY)
    cleaning = asyncio.create_task(store.conversations.retention.close_silent(timedelta(days=14)))
    while not await closed(store):
        assert not cleaning.done()
    accepted = await store.conversations.intake.accept(Incoming("demo", "web", new_id(), "thread", "Cleo", "hello"))
    assert accepted.turn_id
    assert not cleaning.done()
    assert await cleaning == MANY
    assert await closed(store) == MANY


async def test_every_stale_change_is_forgotten_and_no_fresh_one(store: Store) -> None:
    same = {"workspace_id": "demo", "channel": "slack", "created_at": clock.now() - LONG_AGO}
    rows = [{"id": new_id(), "external_id": new_id(), **same} for _ in range(2 * BATCH + 50)]
    fresh = {"id": new_id(), "external_id": "fresh", **same, "created_at": clock.now()}
    async with database_of(store).write() as connection:
        await connection.execute(insert(early_edits), [*rows, fresh])
    assert await store.conversations.retention.forget_early_edits() == len(rows)
    async with database_of(store).read() as connection:
        assert (await connection.execute(select(early_edits.c.external_id))).scalars().all() == ["fresh"]
