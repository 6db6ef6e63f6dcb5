"""The outbox as a worker sees it, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import RowMapping, select

from storage import clock
from storage.conversations.outbox import LEASE_SECONDS, MAX_ERROR_LENGTH, Outbox, Outgoing, is_silenced
from storage.database.tables import conversations, deliveries
from storage.records import Author, ConversationStatus, DeliveryStatus, Incoming, Member, new_id
from storage.store import Store
from tests.contract.desk.test_turns import begun, proposal
from tests.support.rows import audit_trail, database_of
from tests.support.waiting import until


async def written(store: Store, agent: Member, *texts: str) -> str:
    """A conversation with these replies on their way; gives its id."""
    accepted = await store.conversations.intake.accept(
        Incoming("demo", "slack", new_id(), thread="thread", customer_external_id="cleo", text="Hello?")
    )
    await store.conversations.actions.take_over(agent, accepted.conversation_id)
    for text in texts:
        await store.conversations.actions.reply(agent, accepted.conversation_id, text)
    return accepted.conversation_id


async def next_of(store: Store, conversation_id: str) -> Outgoing:
    outgoing = await store.conversations.outbox.next(conversation_id)
    assert outgoing
    return outgoing


async def test_a_reply_knows_whether_another_one_waits_behind_it(store: Store, agent: Member) -> None:
    conversation_id = await written(store, agent, "one", "two", "three")
    behind = []
    while outgoing := await store.conversations.outbox.next(conversation_id):
        behind.append((outgoing.message.text, outgoing.more))
        await store.conversations.outbox.sent(outgoing, None)
    assert behind == [("one", True), ("two", True), ("three", False)]


async def test_only_a_failed_try_counts_as_a_failure(store: Store, agent: Member) -> None:
    conversation_id = await written(store, agent, "one")
    outbox, soon = store.conversations.outbox, clock.now() + timedelta(seconds=5)
    await outbox.postpone(await next_of(store, conversation_id), soon, "the channel is off")
    postponed = await next_of(store, conversation_id)
    assert (postponed.failures, postponed.attempts, postponed.not_before) == (0, 0, soon)
    assert await outbox.begin(postponed)
    await outbox.retry(postponed.begun(), clock.now(), "the platform answered 503")
    retried = await next_of(store, conversation_id)
    assert (retried.failures, retried.attempts) == (1, 1)


async def test_what_was_only_looked_at_does_not_move_a_try_that_another_worker_has_begun(
    store: Store, agent: Member
) -> None:
    conversation_id = await written(store, agent, "one")
    outbox, outgoing = store.conversations.outbox, await next_of(store, conversation_id)
    assert await outbox.begin(outgoing)
    leased = (await next_of(store, conversation_id)).not_before
    await outbox.postpone(outgoing, clock.now(), "the channel is off")
    await outbox.retry(outgoing, clock.now(), "too late")
    assert (await next_of(store, conversation_id)).not_before == leased


async def test_what_has_ended_is_neither_sent_nor_put_off(store: Store, agent: Member) -> None:
    conversation_id = await written(store, agent, "one", "two")
    outbox, first = store.conversations.outbox, await next_of(store, conversation_id)
    await outbox.fail(first, "refused")
    await outbox.retry(first, clock.now(), "too late")
    await outbox.sent(first, "m1")
    assert (await next_of(store, conversation_id)).message.text == "two"


def asked(text: str = "Hello?") -> Incoming:
    """What the customer of one thread writes."""
    return Incoming("demo", "slack", new_id(), thread="thread", customer_external_id="cleo", text=text)


async def answered(store: Store, *questions: str) -> str:
    """A conversation with the bot's reply to each of these on its way; gives its id."""
    for question in questions:
        work = await begun(store, await store.conversations.intake.accept(asked(question)))
        await store.conversations.completion.send(proposal(work))
    return work.conversation_id


async def conversation_row(store: Store, conversation_id: str) -> RowMapping:
    query = select(conversations).where(conversations.c.id == conversation_id)
    async with database_of(store).read() as connection:
        return (await connection.execute(query)).mappings().one()


async def delivery_rows(store: Store, conversation_id: str) -> list[RowMapping]:
    """Every delivery of a conversation, oldest first."""
    query = select(deliveries).where(deliveries.c.conversation_id == conversation_id).order_by(deliveries.c.seq)
    async with database_of(store).read() as connection:
        return list((await connection.execute(query)).mappings().all())


async def test_a_reply_that_nobody_saw_is_cancelled_by_a_take_over_and_its_question_is_open_again(
    store: Store, agent: Member
) -> None:
    conversation_id = await answered(store, "How do I reset?")
    await store.conversations.actions.take_over(agent, conversation_id)
    before = clock.now()
    assert await store.conversations.outbox.next(conversation_id) is None
    row = await conversation_row(store, conversation_id)
    assert row["answered_seq"] == 0
    assert row["waiting_since"] >= before
    (delivery,) = await delivery_rows(store, conversation_id)
    assert (delivery["status"], delivery["error"]) == (DeliveryStatus.CANCELLED, "a person has the conversation")
    events = {event.kind: event.data for event in await audit_trail(store, "demo", conversation_id)}
    assert events["delivery.cancelled"] == {"delivery_id": delivery["id"], "error": delivery["error"]}


async def test_every_reply_that_nobody_saw_opens_its_question_and_none_that_was_read_before(
    store: Store, agent: Member
) -> None:
    outbox, conversation_id = store.conversations.outbox, await answered(store, "one", "two", "three")
    await outbox.sent(await next_of(store, conversation_id), "m1")
    await store.conversations.actions.take_over(agent, conversation_id)
    assert await outbox.next(conversation_id) is None
    rows = await delivery_rows(store, conversation_id)
    assert [row["status"] for row in rows] == ["sent", "cancelled", "cancelled"]
    # one, its reply, two: the first two are settled.
    assert (await conversation_row(store, conversation_id))["answered_seq"] == 2


async def test_a_customer_who_waits_already_goes_on_waiting_since_then(store: Store, agent: Member) -> None:
    conversation_id = await answered(store, "one")
    await store.conversations.intake.accept(asked("and another thing"))
    since = (await conversation_row(store, conversation_id))["waiting_since"]
    await store.conversations.actions.take_over(agent, conversation_id)
    assert await store.conversations.outbox.next(conversation_id) is None
    row = await conversation_row(store, conversation_id)
    assert (row["answered_seq"], row["waiting_since"]) == (0, since)


async def test_a_reply_that_somebody_may_have_seen_leaves_its_question_answered(store: Store, agent: Member) -> None:
    outbox, conversation_id = store.conversations.outbox, await answered(store, "How do I reset?")
    assert await outbox.begin(await next_of(store, conversation_id))
    await store.conversations.actions.take_over(agent, conversation_id)
    assert await outbox.next(conversation_id) is None
    row = await conversation_row(store, conversation_id)
    assert (row["answered_seq"], row["waiting_since"]) == (1, None)


async def test_what_a_person_has_answered_since_stays_answered(store: Store, agent: Member) -> None:
    conversation_id = await answered(store, "How do I reset?")
    await store.conversations.actions.take_over(agent, conversation_id)
    await store.conversations.actions.reply(agent, conversation_id, "Like this.")
    assert (await next_of(store, conversation_id)).message.text == "Like this."
    row = await conversation_row(store, conversation_id)
    assert (row["answered_seq"], row["waiting_since"]) == (1, None)


async def test_a_note_to_colleagues_answers_nothing(store: Store, agent: Member) -> None:
    conversation_id = await answered(store, "How do I reset?")
    await store.conversations.actions.take_over(agent, conversation_id)
    await store.conversations.actions.note(agent, conversation_id, "Careful here.")
    assert await store.conversations.outbox.next(conversation_id) is None
    assert (await conversation_row(store, conversation_id))["answered_seq"] == 0


async def test_of_two_workers_that_saw_a_reply_one_takes_it_for_as_long_as_its_lease(store: Store) -> None:
    outbox, conversation_id = store.conversations.outbox, await answered(store, "How do I reset?")
    seen = await next_of(store, conversation_id)
    before = clock.now()
    assert [await outbox.begin(seen), await outbox.begin(seen)] == [True, False]
    taken = await next_of(store, conversation_id)
    assert (taken.attempts, taken.failures) == (1, 0)
    lease = timedelta(seconds=LEASE_SECONDS)
    assert before + lease <= taken.not_before <= clock.now() + lease


async def test_a_reply_that_was_put_off_since_it_was_seen_is_not_begun(store: Store) -> None:
    outbox, conversation_id = store.conversations.outbox, await answered(store, "How do I reset?")
    seen = await next_of(store, conversation_id)
    await outbox.postpone(seen, clock.now() + timedelta(hours=1), "the channel is off")
    assert not await outbox.begin(seen)


async def test_a_reply_that_was_seen_before_a_take_over_is_not_begun_after_it(store: Store, agent: Member) -> None:
    outbox, conversation_id = store.conversations.outbox, await answered(store, "How do I reset?")
    seen = await next_of(store, conversation_id)
    await store.conversations.actions.take_over(agent, conversation_id)
    assert not await outbox.begin(seen)
    (delivery,) = await delivery_rows(store, conversation_id)
    assert delivery["attempts"] == 0


async def test_who_holds_a_try_keeps_it_beyond_its_lease_and_lets_go_in_the_end(store: Store) -> None:
    conversation_id = await answered(store, "How do I reset?")
    outbox = Outbox(database_of(store), lease_seconds=0.3)
    seen = await next_of(store, conversation_id)
    assert await outbox.begin(seen)
    first = await next_of(store, conversation_id)

    async def renewed() -> bool:
        return (await next_of(store, conversation_id)).not_before > first.not_before

    async with outbox.holding(seen) as held:
        assert held.is_begun
        await until(renewed)
        kept = await next_of(store, conversation_id)
        assert (kept.attempts, kept.failures) == (1, 0)
    # Nothing renews it any more: what is decided about the try stays.
    at = clock.now() + timedelta(hours=1)
    await outbox.retry(held, at, "the platform answered 503")
    decided = await next_of(store, conversation_id)
    assert (decided.not_before, decided.failures) == (at, 1)


async def test_a_desk_that_works_alone_lets_go_of_what_the_dead_had_begun_and_of_nothing_else(store: Store) -> None:
    outbox, conversation_id = store.conversations.outbox, await answered(store, "one", "two")
    begun_one = await next_of(store, conversation_id)
    assert await outbox.begin(begun_one)
    held, later = await delivery_rows(store, conversation_id)
    await outbox.release()
    freed, untouched = await delivery_rows(store, conversation_id)
    assert untouched["next_attempt_at"] == later["next_attempt_at"]
    if database_of(store).is_sqlite:
        assert freed["next_attempt_at"] <= clock.now()
    else:
        assert freed["next_attempt_at"] == held["next_attempt_at"]


async def test_an_end_is_kept_with_its_moment_and_the_channel_s_id(store: Store, agent: Member) -> None:
    outbox, conversation_id = store.conversations.outbox, await written(store, agent, "one", "two")
    before = clock.now()
    await outbox.sent(await next_of(store, conversation_id), "m1")
    await outbox.fail(await next_of(store, conversation_id), "x" * (MAX_ERROR_LENGTH + 1))
    sent, failed = await delivery_rows(store, conversation_id)
    assert (sent["status"], sent["external_id"], sent["error"]) == (DeliveryStatus.SENT, "m1", None)
    assert (failed["status"], failed["error"]) == (DeliveryStatus.FAILED, "x" * MAX_ERROR_LENGTH)
    assert before <= sent["finished_at"] <= failed["finished_at"]
    kinds = [event.kind for event in await audit_trail(store, "demo", conversation_id)]
    assert kinds.count("delivery.failed") == 1


async def test_a_long_reason_to_try_again_is_cut(store: Store, agent: Member) -> None:
    conversation_id = await written(store, agent, "one")
    await store.conversations.outbox.retry(
        await next_of(store, conversation_id), clock.now(), "x" * (MAX_ERROR_LENGTH + 1)
    )
    (delivery,) = await delivery_rows(store, conversation_id)
    assert (delivery["error"], delivery["status"]) == ("x" * MAX_ERROR_LENGTH, DeliveryStatus.PENDING)


@pytest.mark.parametrize("status", ConversationStatus)
@pytest.mark.parametrize("author", Author)
@pytest.mark.parametrize("member_id", [None, "alex"])
def test_only_the_bot_s_own_words_are_held_back_and_only_while_a_person_has_the_conversation(
    status: ConversationStatus, author: Author, member_id: str | None
) -> None:
    silenced = (author, member_id, status) == (Author.BOT, None, ConversationStatus.ASSIGNED)
    assert is_silenced(author, member_id, status) is silenced
