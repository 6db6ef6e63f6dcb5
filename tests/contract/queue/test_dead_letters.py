"""What could not be done leaves a trace, and tables that are not there are named before anything starts."""

from pathlib import Path

import pytest
from sqlalchemy import select

from graph.checkpoints.opening import migrate_checkpoints, open_checkpoints
from storage.database.tables import audit_events
from storage.errors import SchemaError
from storage.records import Incoming
from storage.store import Store
from tests.support.rows import database_of
from tests.support.settings import settings_for

QUESTION = Incoming("demo", "web", "m1", "thread", "customer", "How do I log in?")


async def test_a_turn_that_failed_at_every_try_is_explained_by_the_audit_trail(store: Store) -> None:
    accepted = await store.conversations.intake.accept(QUESTION)
    assert accepted.turn_id
    for _ in range(2):
        await store.conversations.turns.end_failed(accepted.turn_id, is_review=False)
    query = select(audit_events.c.kind, audit_events.c.data).where(audit_events.c.turn_id == accepted.turn_id)
    async with database_of(store).read() as connection:
        told = [tuple(row) for row in await connection.execute(query.order_by(audit_events.c.at))]
    assert told[1:] == [("turn.handoff", {"failed": True})]


async def test_a_process_without_checkpoint_tables_says_so_and_stops(tmp_path: Path, new_postgres_url: str) -> None:
    settings = settings_for(tmp_path, new_postgres_url)
    with pytest.raises(SchemaError, match="deskhand db upgrade"):
        async with open_checkpoints(settings, migrate=False):
            pass
    await migrate_checkpoints(settings)
    async with open_checkpoints(settings, migrate=False):
        pass
