"""What the desk does now and then, on both databases."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from storage.clock import now
from storage.conversations.upkeep.sla import duration_in_words
from storage.database.tables import conversations, early_edits
from storage.records import Author, ConversationStatus, Visibility, new_id
from storage.store import Store
from tests.support.job_bench import Rows
from tests.support.rows import audit_trail, database_of
from tests.support.settings import settings_for

HOUR = timedelta(hours=1)
WAITED = "The customer has been waiting for a person for 2 hours."


@pytest.fixture
def kept(store: Store, tmp_path: Path) -> Rows:
    """The store's rows, to write conversations into."""
    return Rows(settings_for(tmp_path), database_of(store))


async def waiting(rows: Rows, since: timedelta, status: ConversationStatus = ConversationStatus.PENDING) -> str:
    """A conversation whose customer has no answer for so long."""
    conversation_id = await rows.conversation()
    await change(rows, conversation_id, status=status, waiting_since=now() - since)
    return conversation_id


async def change(rows: Rows, conversation_id: str, **values: object) -> None:
    async with rows.database.write() as connection:
        await connection.execute(update(conversations).where(conversations.c.id == conversation_id).values(**values))


async def lines(store: Store, conversation_id: str) -> list[str]:
    """What only members see."""
    found = await store.conversations.messages.of_conversation("demo", conversation_id, internal=True)
    return [item.text for item in found if item.author is Author.SYSTEM and item.visibility is Visibility.INTERNAL]


async def overdue_events(store: Store, conversation_id: str) -> int:
    events = await audit_trail(store, "demo", conversation_id)
    return sum(event.kind == "conversation.overdue" for event in events)


@pytest.mark.parametrize("status", [ConversationStatus.PENDING, ConversationStatus.ASSIGNED])
async def test_members_are_reminded_once_of_a_customer_who_waits_too_long_for_a_person(
    store: Store, kept: Rows, status: ConversationStatus
) -> None:
    late = await waiting(kept, 2 * HOUR, status)
    soon = await waiting(kept, 0.5 * HOUR, status)
    overdue = store.conversations.sla
    assert [item.conversation_id for item in await overdue.remind(HOUR)] == [late]
    assert await overdue.remind(HOUR) == []
    assert await lines(store, late) == [WAITED]
    assert await lines(store, soon) == []
    assert await overdue_events(store, late) == 1


@pytest.mark.parametrize("status", [ConversationStatus.OPEN, ConversationStatus.RESOLVED])
async def test_nobody_is_reminded_of_what_needs_no_person(store: Store, kept: Rows, status: ConversationStatus) -> None:
    await waiting(kept, 2 * HOUR, status)
    assert await store.conversations.sla.remind(HOUR) == []


async def test_a_new_wait_of_the_same_customer_brings_a_new_reminder(store: Store, kept: Rows) -> None:
    conversation = await waiting(kept, 5 * HOUR)
    overdue = store.conversations.sla
    await overdue.remind(HOUR)
    await change(kept, conversation, waiting_since=None)
    assert await overdue.remind(HOUR) == []
    # As if the first reminder had come before the second wait began.
    await change(kept, conversation, waiting_since=now() - 2 * HOUR, sla_reminded_at=now() - 3 * HOUR)
    assert [item.conversation_id for item in await overdue.remind(HOUR)] == [conversation]
    assert await overdue_events(store, conversation) == 2


async def test_the_inbox_knows_who_is_overdue(store: Store, kept: Rows) -> None:
    late, soon = await waiting(kept, 2 * HOUR), await waiting(kept, 0.5 * HOUR)
    await store.conversations.sla.remind(HOUR)
    assert (await store.conversations.reading.read("demo", late)).is_overdue
    assert not (await store.conversations.reading.read("demo", soon)).is_overdue
    await change(kept, late, waiting_since=None)
    assert not (await store.conversations.reading.read("demo", late)).is_overdue


def test_a_wait_is_told_in_whole_minutes_hours_or_days() -> None:
    assert duration_in_words(timedelta(seconds=59)) == "less than a minute"
    assert duration_in_words(timedelta(minutes=1, seconds=30)) == "1 minute"
    assert duration_in_words(timedelta(minutes=90)) == "1 hour"
    assert duration_in_words(timedelta(days=2, hours=5)) == "2 days"


async def test_changes_whose_message_never_came_are_forgotten_after_a_day(store: Store) -> None:
    async with database_of(store).write() as connection:
        for age in (timedelta(hours=23), timedelta(hours=25)):
            values = {"id": new_id(), "workspace_id": "demo", "channel": "slack", "external_id": new_id()}
            await connection.execute(insert(early_edits).values(**values, text=None, created_at=now() - age))
    assert await store.conversations.retention.forget_early_edits() == 1
    async with database_of(store).read() as connection:
        assert (await connection.execute(select(func.count()).select_from(early_edits))).scalar_one() == 1


async def test_conversations_are_found_whose_summary_lags_behind(store: Store, kept: Rows) -> None:
    lagging, up_to_date, closed, old = [await kept.conversation() for _ in range(4)]
    await change(kept, lagging, last_seq=60, summary_seq=20)
    await change(kept, up_to_date, last_seq=60, summary_seq=40)
    await change(kept, closed, last_seq=60, status=ConversationStatus.CLOSED)
    await change(kept, old, last_seq=60, updated_at=now() - timedelta(days=2))
    assert await store.conversations.summaries.lagging(36) == [lagging]
