"""The outbox as a worker sees it, on both databases."""

from datetime import timedelta

from storage import clock
from storage.conversations.outbox import Outgoing
from storage.records import Incoming, Member, new_id
from storage.store import Store


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
