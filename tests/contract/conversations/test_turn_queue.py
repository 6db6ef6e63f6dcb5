"""The turn queue of a conversation, on both databases."""

from datetime import timedelta

from sqlalchemy import RowMapping, select

from storage import clock
from storage.conversations import messages, turn_queue
from storage.database.tables import reviews, turns
from storage.records import Incoming, ReviewStatus, TurnStatus, new_id
from storage.store import Store
from tests.contract.desk.test_turns import held
from tests.support.rows import database_of


async def queued(store: Store) -> tuple[str, str]:
    """A conversation with one queued turn; gives the ids of both."""
    accepted = await store.conversations.intake.accept(Incoming("demo", "web", new_id(), "thread", "cleo", "Hello?"))
    assert accepted.turn_id
    return accepted.conversation_id, accepted.turn_id


async def turn_of(store: Store, turn_id: str) -> RowMapping:
    async with database_of(store).read() as connection:
        return (await connection.execute(select(turns).where(turns.c.id == turn_id))).mappings().one()


async def test_a_queued_turn_is_postponed_in_its_place(store: Store) -> None:
    conversation_id, turn_id = await queued(store)
    later = clock.now() + timedelta(minutes=5)
    async with database_of(store).write() as connection:
        conversation = await messages.lock(connection, "demo", conversation_id)
        assert conversation
        postponed = await turn_queue.postpone_queued(connection, conversation, later)
    turn = await turn_of(store, turn_id)
    assert postponed == turn_queue.QueuedTurn(turn_id, later, turn["rank"])
    assert (turn["status"], turn["due_at"]) == (TurnStatus.QUEUED, later)


async def test_a_queued_turn_that_is_ended_says_what_it_was(store: Store) -> None:
    conversation_id, turn_id = await queued(store)
    before = await turn_of(store, turn_id)
    async with database_of(store).write() as connection:
        conversation = await messages.lock(connection, "demo", conversation_id)
        assert conversation
        ended = await turn_queue.end_queued(connection, conversation)
        assert await turn_queue.end_queued(connection, conversation) is None
        assert await turn_queue.postpone_queued(connection, conversation, clock.now()) is None
    assert ended == turn_queue.QueuedTurn(turn_id, before["due_at"], before["rank"])
    after = await turn_of(store, turn_id)
    assert after["status"] == TurnStatus.SUPERSEDED
    assert after["finished_at"] is not None


async def test_a_superseded_turn_takes_its_review_with_it(store: Store) -> None:
    work, review_id = await held(store)
    async with database_of(store).write() as connection:
        conversation = await messages.lock(connection, "demo", work.conversation_id)
        assert conversation
        await turn_queue.supersede_waiting(connection, conversation)
    turn = await turn_of(store, work.turn_id)
    assert (turn["status"], turn["finished_at"] is not None) == (TurnStatus.SUPERSEDED, True)
    async with database_of(store).read() as connection:
        review = (await connection.execute(select(reviews).where(reviews.c.id == review_id))).mappings().one()
    assert (review["status"], review["closed_at"] is not None) == (ReviewStatus.SUPERSEDED, True)
