"""No step of the wall clock, in either direction, refuses, delays or reorders what customers write."""

from datetime import timedelta

import pytest

from storage import clock
from storage.queue.jobs import JobKind
from storage.queue.recovery import most_urgent
from storage.store import Store
from storage.turns.begin import TurnWork
from tests.contract.conversations.test_rate_limit import QUIET, new_intake, said, write
from tests.support.rows import database_of

STEPS = (timedelta(seconds=-90), timedelta(minutes=-11), timedelta(days=-1), timedelta(days=1))
LIMITS = {"customer_per_minute": 4, "customer_per_hour": 20, "workspace_per_minute": 8}


@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_nobody_is_refused_or_made_to_wait(store: Store, step: timedelta) -> None:
    intake = new_intake(database_of(store), QUIET, **LIMITS)
    await write(intake, 3, channel="web")
    with clock.shifted(step):
        (own,) = await write(intake, 1, channel="web")
        (other,) = await write(intake, 1, customer="Otto", channel="web")
    assert (own.wait, other.wait) == (0, 0)


async def test_what_was_written_before_a_step_back_counts_as_before(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=4)
    before = [await intake.accept(said(thread=f"thread {number}")) for number in range(5)]
    with clock.shifted(timedelta(minutes=-11)):
        after = [await intake.accept(said(thread=f"later {number}")) for number in range(2)]
    assert [round(item.wait / 15) for item in (before[-1], *after)] == [1, 2, 3]


@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_a_turn_that_gathers_is_due_and_found(store: Store, step: timedelta) -> None:
    accepted = await new_intake(database_of(store)).accept(said(), gather_seconds=2.0)
    with clock.shifted(step):
        urgent = await most_urgent(database_of(store), 10)
        begun = await store.conversations.turns.begin(accepted.turn_id or "")
    assert [job.id for job in urgent.jobs if job.kind is JobKind.ANSWER] == [accepted.turn_id]
    assert isinstance(begun, TurnWork)


@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_turns_keep_their_order(store: Store, step: timedelta) -> None:
    intake = new_intake(database_of(store))
    first = await intake.accept(said("Cleo"))
    with clock.shifted(step):
        second = await intake.accept(said("Otto"))
        third = await intake.accept(said("Cleo", thread="another thread of Cleo"))
    assert first.rank <= second.rank <= third.rank


@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_who_wrote_before_the_step_is_not_served_behind_everybody(store: Store, step: timedelta) -> None:
    intake = new_intake(database_of(store))
    await write(intake, 1)
    for job in (await most_urgent(database_of(store), 10)).jobs:
        await store.conversations.turns.end_failed(job.id, is_review=False)
    with clock.shifted(step):
        (own,) = await write(intake, 1)
        (other,) = await write(intake, 1, customer="Otto")
    assert own.rank <= other.rank + 10


async def test_a_refusal_is_told_again_after_a_step_back(store: Store) -> None:
    intake = new_intake(database_of(store), customer_per_minute=1, longest_wait_seconds=0)
    await write(intake, 2)
    with clock.shifted(timedelta(days=-1)):
        refused = await write(intake, 2)
    assert [item.notified for item in refused] == [True, False]
