"""How much may be written: what is more waits, what is far more is refused, and the customer knows."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from storage import clock
from storage.conversations.admission.backpressure import BacklogMonitor
from storage.conversations.admission.control import AdmissionControl
from storage.conversations.admission.counters import forget_paid_off
from storage.conversations.intake import Accepted, MessageIntake
from storage.database.engine import Database, open_database
from storage.database.tables import (
    admission_counters,
    conversations,
    deliveries,
    messages,
    turns,
)
from storage.embeddings.protocol import Embedder
from storage.errors import TooManyMessagesError
from storage.records import (
    Author,
    ChannelName,
    Incoming,
    Member,
    Mode,
    TurnStatus,
    new_id,
)
from storage.settings import LimitsSettings
from storage.store import Store
from storage.turns.begin import NotYet, TurnWork
from tests.support.rows import database_of
from tests.support.settings import settings_for
from tests.support.store import open_test_store

NONE = {"customer_per_minute": 0, "customer_per_hour": 0, "workspace_per_minute": 0}
QUIET = BacklogMonitor(0, 0)


def new_intake(database: Database, load: BacklogMonitor = QUIET, **limits: float) -> MessageIntake:
    return MessageIntake(database, AdmissionControl(LimitsSettings.model_validate(NONE | limits)), load)


def said(
    customer: str = "Cleo", thread: str = "", external_id: str = "", channel: ChannelName = "slack", at: str = "demo"
) -> Incoming:
    return Incoming(
        at, channel, external_id or new_id(), thread or f"thread of {customer}", customer, "How do I reset?"
    )


async def write(intake: MessageIntake, number: int, **where: Any) -> list[Accepted]:
    return [await intake.accept(said(**where)) for _ in range(number)]


async def rows(database: Database, table: Any) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def notices(store: Store, conversation_id: str) -> list[str]:
    found = await store.conversations.messages.of_conversation("demo", conversation_id)
    return [message.text for message in found if message.author is Author.SYSTEM]


async def let_pass(database: Database, seconds: float) -> None:
    """Move what is counted into the past: for the rows so many seconds have passed."""
    row = admission_counters.c
    moments = (row.minute_tat, row.hour_tat, row.wait_notified_until, row.refusal_notified_until)
    async with database.write() as connection:
        await connection.execute(update(admission_counters).values({column: column - seconds for column in moments}))


async def test_what_a_customer_writes_beyond_the_limit_is_kept_and_waits(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=4)
    accepted = [await intake.accept(said(thread=f"thread {number}")) for number in range(7)]
    assert [item.wait > 0 for item in accepted] == [False] * 4 + [True] * 3
    assert [round(item.wait / 15) for item in accepted[4:]] == [1, 2, 3]
    assert await rows(database_of(store), turns) == 7
    begun = [await store.conversations.turns.begin(item.turn_id or "") for item in accepted]
    assert [type(item) for item in begun] == [TurnWork] * 4 + [NotYet] * 3
    due = [item.until for item in begun if isinstance(item, NotYet)]
    assert due == sorted(due)


async def test_a_later_fragment_never_brings_a_turn_forward_that_has_to_wait(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=2)
    accepted = await write(intake, 4)
    assert len({item.turn_id for item in accepted}) == 1
    begun = await store.conversations.turns.begin(accepted[0].turn_id or "")
    assert isinstance(begun, NotYet)
    assert begun.until > clock.now() + timedelta(seconds=45)


async def test_an_edit_does_not_bring_a_turn_forward_that_has_to_wait(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=2)
    await write(intake, 3)
    await intake.accept(said(external_id="m4"))
    corrected = await store.conversations.edits.edit(said(external_id="m4"))
    assert corrected is None
    edited = Incoming("demo", "slack", "m4", "thread of Cleo", "Cleo", "How do I reset it?")
    corrected = await store.conversations.edits.edit(edited)
    assert corrected
    begun = await store.conversations.turns.begin(corrected.turn_id or "")
    assert isinstance(begun, NotYet)
    assert begun.until > clock.now() + timedelta(seconds=45)


async def test_the_hour_counts_beside_the_minute(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=100, customer_per_hour=3)
    accepted = await write(intake, 3, channel="web")
    assert [item.wait for item in accepted] == [0, 0, 0]
    with pytest.raises(TooManyMessagesError) as refused:
        await write(intake, 1, channel="web")
    assert 595 <= refused.value.retry_after <= 600


async def test_processes_that_write_at_once_count_together(store: Store) -> None:
    others = [open_database(database_of(store).url) for _ in range(3)]
    # Ten an hour are one in six minutes: however slow the machine, the waits stay apart.
    databases = (database_of(store), *others)
    doors = [new_intake(database, customer_per_hour=10, longest_wait_seconds=86_400) for database in databases]
    try:
        accepted = await asyncio.gather(
            *(doors[number % 4].accept(said(thread=f"thread {number}")) for number in range(40))
        )
    finally:
        for database in others:
            await database.close()
    assert [item.wait > 0 for item in accepted].count(False) == 10
    assert sorted(round(item.wait / 360) for item in accepted if item.wait) == list(range(1, 31))
    assert sum(item.notified for item in accepted) == 1


async def test_the_customers_of_a_workspace_count_together_and_no_other_workspace_does(store: Store) -> None:
    await store.accounts.workspaces.create("other", "Other")
    intake = new_intake(database_of(store), workspace_per_minute=5)
    accepted = await asyncio.gather(*(intake.accept(said(f"customer {number}")) for number in range(12)))
    assert [item.wait > 0 for item in accepted].count(False) == 5
    assert all(item.notified for item in accepted if item.wait)
    (elsewhere,) = await write(intake, 1, at="other")
    assert elsewhere.wait == 0


async def test_one_customer_does_not_use_up_what_the_others_may_write(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=3, workspace_per_minute=10)
    await write(intake, 30)
    others = [await intake.accept(said(f"customer {number}")) for number in range(7)]
    assert [item.wait for item in others] == [0] * 7


async def test_the_customer_is_told_once_per_burst_through_the_outbox(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=2)
    first = await write(intake, 6)
    assert [item.notified for item in first] == [False, False, True, False, False, False]
    conversation_id = first[0].conversation_id
    assert len(await notices(store, conversation_id)) == 1
    outgoing = await store.conversations.outbox.next(conversation_id)
    assert outgoing
    assert outgoing.message.author is Author.SYSTEM
    await let_pass(database_of(store), 3600)
    again = await write(intake, 4)
    assert [item.notified for item in again] == [False, False, True, False]


async def test_where_the_desk_only_watches_nobody_is_told(store: Store, admin: Member) -> None:
    await store.accounts.workspaces.change_settings(admin, mode=Mode.SHADOW)
    accepted = await write(new_intake(database_of(store), customer_per_minute=1), 3)
    assert [item.wait > 0 for item in accepted] == [False, True, True]
    assert await rows(database_of(store), deliveries) == 0


async def test_a_repeat_is_neither_counted_nor_refused(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=2, longest_wait_seconds=0)
    first = await intake.accept(said(external_id="m1", channel="web"))
    repeats = [await intake.accept(said(external_id="m1", channel="web")) for _ in range(5)]
    assert {item.message_id for item in repeats} == {first.message_id}
    assert (await intake.accept(said(channel="web"))).wait == 0
    with pytest.raises(TooManyMessagesError):
        await intake.accept(said(channel="web"))
    assert (await intake.accept(said(external_id="m1", channel="web"))).message_id == first.message_id


async def test_what_would_wait_too_long_is_refused_on_the_web_and_does_not_count(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=2, longest_wait_seconds=30)
    await write(intake, 3, channel="web")
    for _ in range(3):
        with pytest.raises(TooManyMessagesError) as refused:
            await write(intake, 1, channel="web")
        assert 25 <= refused.value.retry_after <= 30
    assert await rows(database_of(store), messages) == 4  # three, and that they wait
    await let_pass(database_of(store), 30)
    (accepted,) = await write(intake, 1, channel="web")
    assert accepted.message_id


async def test_in_a_chat_the_customer_is_told_once_that_a_message_was_not_kept(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=1, longest_wait_seconds=0)
    (kept,) = await write(intake, 1)
    refused = [await intake.accept(said(thread=f"thread {number}")) for number in range(4)]
    assert [item.notified for item in refused] == [True, False, False, False]
    assert {item.turn_id for item in refused} == {None}
    assert all(item.repeated for item in refused)
    (notice,) = await notices(store, refused[0].conversation_id)
    assert "was not kept" in notice
    assert "in a minute" in notice
    assert await notices(store, kept.conversation_id) == []
    assert await rows(database_of(store), conversations) == 2


async def test_a_conversation_that_a_person_has_is_never_told_to_wait(store: Store, agent: Member) -> None:
    intake = new_intake(database_of(store), customer_per_minute=1)
    (accepted,) = await write(intake, 1)
    await store.conversations.actions.take_over(agent, accepted.conversation_id)
    assert not any(item.notified for item in await write(intake, 3))


async def test_what_is_paid_off_is_forgotten(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=1)
    await write(intake, 2)
    assert await forget_paid_off(database_of(store)) == 0
    async with database_of(store).write() as connection:
        await connection.execute(update(admission_counters).values(rank=0))
    await let_pass(database_of(store), 3600)
    assert await forget_paid_off(database_of(store)) == 2


@pytest.fixture
async def late_store(tmp_path: Path, database_url: str, embedder: Embedder) -> AsyncIterator[Store]:
    """A desk that is a minute late: more turns are due than can be at work."""
    settings = settings_for(tmp_path, database_url, conversation={"busy_seconds": 30}, jobs={"concurrency": 2})
    async with open_test_store(settings, embedder) as store:
        await be_late(store, 3)
        yield store


async def be_late(store: Store, number: int) -> None:
    """Let so many turns be due since a minute ago."""
    quiet = new_intake(database_of(store))
    accepted = [await quiet.accept(said(f"early {turn}")) for turn in range(number)]
    ids = [item.turn_id for item in accepted]
    async with database_of(store).write() as connection:
        a_minute_ago = clock.now() - timedelta(minutes=1)
        await connection.execute(update(turns).where(turns.c.id.in_(ids)).values(due_at=a_minute_ago))


async def test_who_writes_while_the_desk_is_late_is_told_once_per_wait(late_store: Store) -> None:
    accepted = [await late_store.conversations.intake.accept(said(thread="late")) for _ in range(3)]
    assert [item.notified for item in accepted] == [True, False, False]
    (notice,) = await notices(late_store, accepted[0].conversation_id)
    assert "a lot of messages" in notice
    other = await late_store.conversations.intake.accept(said("Otto"))
    assert other.notified


async def test_in_the_next_wait_the_customer_is_told_again(late_store: Store) -> None:
    first = await late_store.conversations.intake.accept(said())
    async with database_of(late_store).write() as connection:
        mine = conversations.c.id == first.conversation_id
        await connection.execute(update(conversations).where(mine).values(waiting_since=None))
        queued = turns.c.conversation_id == first.conversation_id
        await connection.execute(update(turns).where(queued).values(status=TurnStatus.DONE))
    assert (await late_store.conversations.intake.accept(said())).notified


async def test_turns_that_are_at_work_make_no_queue(tmp_path: Path, database_url: str, embedder: Embedder) -> None:
    settings = settings_for(tmp_path, database_url, conversation={"busy_seconds": 30}, jobs={"concurrency": 8})
    async with open_test_store(settings, embedder) as store:
        await be_late(store, 3)
        assert not (await store.conversations.intake.accept(said())).notified


async def test_the_look_at_the_queue_uses_an_index(store: Store) -> None:
    intake = new_intake(database_of(store))
    await intake.accept(said())
    explain = "EXPLAIN QUERY PLAN " if database_of(store).is_sqlite else "EXPLAIN "
    look = "SELECT due_at FROM turns WHERE status = 'queued' AND due_at <= '2100-01-01' ORDER BY due_at LIMIT 1"
    served = "SELECT min(rank) FROM turns WHERE status = 'queued'"
    async with database_of(store).write() as connection:
        if not database_of(store).is_sqlite:
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plans = ["".join(map(str, await connection.exec_driver_sql(explain + query))) for query in (look, served)]
    assert "ix_turns_queued_due" in plans[0]
    assert "ix_turns_queued_rank" in plans[1]
