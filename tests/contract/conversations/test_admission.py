"""What a message costs its customer and its workspace, to the second, on both databases."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from storage import clock
from storage.conversations.admission.control import Admission, AdmissionControl
from storage.conversations.admission.counters import (
    LONGEST_REFUSAL,
    REFUSAL_SECONDS,
    forget_paid_off,
)
from storage.conversations.admission.fair_queue import virtual_time
from storage.database.engine import Database
from storage.database.tables import admission_counters
from storage.errors import TooManyMessagesError
from storage.records import Incoming, new_id
from storage.settings import LimitsSettings
from storage.store import Store

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = int(NOON.timestamp())
UNLIMITED = {"customer_per_minute": 0, "customer_per_hour": 0, "workspace_per_minute": 0}


def limited(**limits: float) -> AdmissionControl:
    return AdmissionControl(LimitsSettings.model_validate(UNLIMITED | limits))


async def admit(
    database: Database, control: AdmissionControl, customer: str = "cleo", at: float = 0, *, new_turn: bool = True
) -> Admission:
    """A message of this customer so many seconds after noon."""
    with clock.frozen(NOON + timedelta(seconds=at)):
        async with database.write() as connection:
            return await control.admit(connection, "demo", customer, new_turn=new_turn)


async def refuse(database: Database, at: float, seconds: int = 30, customer: str = "cleo") -> bool:
    with clock.frozen(NOON + timedelta(seconds=at)):
        async with database.write() as connection:
            return await limited().refuse(connection, "demo", customer, seconds)


async def counter(database: Database, subject: str) -> Mapping[str, Any]:
    """The row of a customer, or of the workspace: the empty subject."""
    query = select(admission_counters).where(admission_counters.c.subject == subject)
    async with database.read() as connection:
        return dict((await connection.execute(query)).mappings().one())


async def test_each_turn_of_a_customer_takes_a_round_and_each_customer_begins_in_the_first(database: Database) -> None:
    control = limited()
    cleo = [await admit(database, control) for _ in range(3)]
    other = await admit(database, control, "dan")
    assert [admitted.rank - NOW for admitted in (*cleo, other)] == [10, 20, 30, 10]
    assert {(admitted.wait, admitted.must_tell) for admitted in (*cleo, other)} == {(0, False)}


async def test_the_turns_that_one_customer_has_waiting_do_not_put_the_workspace_back(database: Database) -> None:
    control = limited(workspace_per_minute=60)
    for _ in range(5):
        await admit(database, control)
    workspace = await counter(database, "")
    assert workspace["rank"] == NOW + 1
    # They were written all the same.
    assert workspace["minute_tat"] - NOW == pytest.approx(5)
    for number in range(12):
        last = await admit(database, control, f"customer {number}")
    assert last.rank == NOW + 13


async def test_a_message_that_begins_no_turn_takes_no_round(database: Database) -> None:
    control = limited()
    await admit(database, control)
    assert (await admit(database, control, new_turn=False)).rank == NOW + 10
    assert (await counter(database, ""))["rank"] == NOW + 1


async def test_ranks_begin_at_the_turn_that_is_served_next_and_else_at_the_clock(
    store: Store, database: Database
) -> None:
    async def now_served() -> int:
        with clock.frozen(NOON + timedelta(seconds=0.4)):
            async with database.read() as connection:
                return await virtual_time(connection)

    assert await now_served() == NOW
    with clock.frozen(NOON + timedelta(hours=1)):
        await store.conversations.intake.accept(Incoming("demo", "slack", new_id(), "one", "ann", text="Hello?"))
    assert await now_served() == NOW + 3610
    assert (await admit(database, limited(), "new")).rank == NOW + 3620


async def test_what_a_customer_s_own_limit_holds_back_does_not_use_up_the_workspace_s(database: Database) -> None:
    control = limited(customer_per_minute=2, workspace_per_minute=10)
    waits = [(await admit(database, control, new_turn=False)).wait for _ in range(4)]
    assert waits == pytest.approx([0, 0, 30, 60])
    assert (await counter(database, ""))["minute_tat"] - NOW == pytest.approx(2 * 6)
    assert (await counter(database, "cleo"))["minute_tat"] - NOW == pytest.approx(4 * 30)


async def test_the_workspace_s_limit_holds_whoever_comes_next(database: Database) -> None:
    control = limited(workspace_per_minute=2)
    admitted = [await admit(database, control, customer) for customer in ("ann", "ben", "cleo", "dan")]
    assert [one.wait for one in admitted] == pytest.approx([0, 0, 30, 60])
    # Who has to wait is served among those who come then.
    assert [one.rank - NOW for one in admitted] == [10, 10, 30, 60]
    assert [one.must_tell for one in admitted] == [False, False, True, True]


async def test_what_has_been_paid_off_costs_nothing_more(database: Database) -> None:
    control = limited(customer_per_minute=2)
    for _ in range(4):
        await admit(database, control)
    assert (await admit(database, control, at=89)).wait == pytest.approx(1)
    assert (await admit(database, control, at=600)).wait == 0
    assert (await counter(database, "cleo"))["minute_tat"] - NOW == pytest.approx(630)


async def test_a_wait_is_told_once_until_the_whole_burst_is_paid_off(database: Database) -> None:
    control = limited(customer_per_minute=2)
    told = [(await admit(database, control)).must_tell for _ in range(5)]
    assert told == [False, False, True, False, False]
    assert (await counter(database, "cleo"))["wait_notified_until"] - NOW == pytest.approx(150)


async def test_a_wait_for_the_workspace_is_told_again_when_the_told_one_is_over(database: Database) -> None:
    control = limited(workspace_per_minute=2)
    for customer in ("ann", "ben"):
        await admit(database, control, customer)
    told = [(await admit(database, control, at=at, new_turn=False)) for at in (0, 29.5)]
    assert [one.must_tell for one in told] == [True, False]
    for _ in range(2):
        await admit(database, control, "dan", at=30, new_turn=False)
    until = (await counter(database, "cleo"))["wait_notified_until"] - NOW
    again = await admit(database, control, at=until, new_turn=False)
    assert (again.wait > 0, again.must_tell) == (True, True)


async def test_the_longest_wait_is_still_taken_and_a_longer_one_is_not_counted(database: Database) -> None:
    control = limited(customer_per_minute=1, longest_wait_seconds=60)
    assert [(await admit(database, control)).wait for _ in range(2)] == pytest.approx([0, 60])
    with pytest.raises(TooManyMessagesError) as refused:
        await admit(database, control)
    assert refused.value.retry_after == 60
    assert (await counter(database, "cleo"))["minute_tat"] - NOW == pytest.approx(120)


async def test_a_refusal_is_told_once_for_as_long_as_it_lasts_and_a_minute_more(database: Database) -> None:
    last = 30 + REFUSAL_SECONDS
    assert [await refuse(database, at) for at in (0, 1, last - 1, last)] == [True, False, False, True]
    assert await refuse(database, 1, customer="dan")


async def test_no_refusal_lasts_longer_than_any_can(database: Database) -> None:
    await refuse(database, 0)
    told: list[bool] = []
    for ahead in (LONGEST_REFUSAL + REFUSAL_SECONDS, LONGEST_REFUSAL + REFUSAL_SECONDS + 1):
        async with database.write() as connection:
            await connection.execute(update(admission_counters).values(refusal_notified_until=NOW + ahead))
        told.append(await refuse(database, 0))
    assert told == [False, True]


async def test_a_counter_is_forgotten_once_none_of_its_moments_lies_ahead(database: Database) -> None:
    await admit(database, limited(customer_per_minute=2))
    await refuse(database, 0, seconds=0, customer="dan")
    forgotten = []
    for seconds in (1, 30, 31, REFUSAL_SECONDS, REFUSAL_SECONDS + 1):
        with clock.frozen(NOON + timedelta(seconds=seconds)):
            forgotten.append(await forget_paid_off(database))
    # The workspace's rank is a second ahead, Cleo's minute thirty, Dan's refusal sixty.
    assert forgotten == [0, 1, 1, 0, 1]
