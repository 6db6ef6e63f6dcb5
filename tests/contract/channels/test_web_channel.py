"""The web channel: a reply is with the customer once it is committed, once and in order, whatever is sent again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.channel import Channel
from bot.delivery import DeliveryJob
from bot.web.channel import WebChannel
from storage.conversations.customer_view import ConversationRef
from storage.conversations.outbox import Outgoing
from storage.database.tables import deliveries
from storage.embeddings.protocol import Embedder
from storage.queue.jobs import Job, JobKind
from storage.records import Decision, DecisionKind, DeliveryStatus, Draft, Incoming, Member, Role, new_id
from storage.store import Store
from tests.support.passwords import PASSWORD
from tests.support.rows import database_of
from tests.support.settings import settings_for
from tests.support.store import open_test_store
from tests.support.web_desk import proposal_for, queued_turn

DRAFT = Draft(text="Click Forgot password.", can_answer=True, confidence=0.9, model="verbatim")
APPROVE = Decision(kind=DecisionKind.APPROVE)


@pytest.fixture
async def web_store(tmp_path: Path, database_url: str, embedder: Embedder) -> AsyncIterator[Store]:
    async with open_test_store(settings_for(tmp_path, database_url), embedder) as store:
        yield store


@pytest.fixture
async def web_agent(web_store: Store) -> Member:
    return await web_store.accounts.members.add("demo", "anna@demo.example", "Anna", Role.AGENT, PASSWORD)


async def asked(store: Store, *texts: str, thread: str = "thread") -> tuple[ConversationRef, list[str]]:
    accepted = [
        await store.conversations.intake.accept(Incoming("demo", "web", new_id(), thread, thread, text))
        for text in texts
    ]
    ref = await store.conversations.customer_view.ref(accepted[0].conversation_id)
    return ref, [one.message_id for one in accepted]


async def replied(store: Store, ref: ConversationRef, draft: Draft = DRAFT) -> None:
    await store.conversations.completion.send(await proposal_for(store, ref.conversation_id, draft))


async def waiting(store: Store, ref: ConversationRef) -> Outgoing:
    """The reply as a process of an earlier version leaves it: committed, its delivery still to come."""
    pending = {"status": DeliveryStatus.PENDING, "external_id": None, "finished_at": None}
    async with database_of(store).write() as connection:
        await connection.execute(update(deliveries).values(pending))
    outgoing = await store.conversations.outbox.next(ref.conversation_id)
    assert outgoing
    return outgoing


async def test_a_reply_is_delivered_by_the_commit_that_writes_it(web_store: Store) -> None:
    ref, _ = await asked(web_store, "How do I reset my password?")
    await replied(web_store, ref)
    assert await web_store.conversations.outbox.next(ref.conversation_id) is None
    async with database_of(web_store).read() as connection:
        (delivery,) = (await connection.execute(select(deliveries))).all()
    assert (delivery.status, delivery.external_id) == (DeliveryStatus.SENT, delivery.message_id)
    assert delivery.finished_at is not None


async def test_a_delivery_that_is_sent_again_shows_one_message(web_store: Store) -> None:
    channel: Channel = WebChannel(web_store.cluster.events)
    assert channel.name == "web"
    assert channel.idempotent
    ref, _ = await asked(web_store, "How do I reset my password?")
    await replied(web_store, ref)
    outgoing = await waiting(web_store, ref)
    ids = [await channel.send(outgoing) for _ in range(3)]
    assert ids == [outgoing.message.id] * 3
    said = await web_store.conversations.customer_view.visible_messages(ref)
    assert [one.message.text for one in said] == ["How do I reset my password?", DRAFT.text]


async def test_the_deliver_job_ends_with_nothing_left_to_send(web_store: Store) -> None:
    delivery = DeliveryJob(
        web_store.conversations.outbox, {"web": WebChannel(web_store.cluster.events)}, web_store.cluster.events
    )
    ref, _ = await asked(web_store, "one")
    await replied(web_store, ref)
    await waiting(web_store, ref)
    await delivery.deliver(Job(JobKind.DELIVER, ref.conversation_id, ref.conversation_id))
    assert await web_store.conversations.outbox.next(ref.conversation_id) is None


async def test_a_delivery_wakes_who_follows_the_conversation(web_store: Store) -> None:
    ref, _ = await asked(web_store, "one")
    await replied(web_store, ref)
    outgoing = await waiting(web_store, ref)
    with web_store.cluster.events.listen(ref.conversation_id) as news:
        await WebChannel(web_store.cluster.events).send(outgoing)
        await asyncio.wait_for(news.wait(), 1)


async def test_each_message_knows_its_own_reply(web_store: Store) -> None:
    customer_view = web_store.conversations.customer_view
    ref, (first,) = await asked(web_store, "one")
    await replied(web_store, ref)
    _, (second, third) = await asked(web_store, "two", "three")
    before = await customer_view.progress(second)
    assert before.reply is None
    assert not before.settled
    await replied(web_store, ref, DRAFT.model_copy(update={"text": "Both."}))
    replies = [(await customer_view.progress(message_id)).reply for message_id in (first, second, third)]
    assert [reply and reply.text for reply in replies] == [DRAFT.text, "Both.", "Both."]


async def test_an_approved_reply_to_an_earlier_message_is_not_taken_for_the_newer_ones(
    web_store: Store, web_agent: Member
) -> None:
    customer_view = web_store.conversations.customer_view
    ref, (first,) = await asked(web_store, "one")
    proposal = await proposal_for(web_store, ref.conversation_id, DRAFT)
    await web_store.conversations.completion.hold(proposal)
    review = await web_store.conversations.reviews.of_conversation("demo", ref.conversation_id)
    assert review
    decision = APPROVE.model_copy(update={"member_id": web_agent.id, "member_name": web_agent.name})
    await web_store.conversations.reviews.decide(web_agent, review.id, decision, based_on=1)
    _, (second,) = await asked(web_store, "two")
    await web_store.conversations.completion.send(proposal, decision=decision)
    assert (await customer_view.progress(first)).reply
    assert (await customer_view.progress(second)).reply is None


async def test_a_reply_by_hand_answers_what_waited_for_it(web_store: Store, web_agent: Member) -> None:
    customer_view = web_store.conversations.customer_view
    ref, (message_id,) = await asked(web_store, "one")
    await web_store.conversations.actions.take_over(web_agent, ref.conversation_id)
    assert (await customer_view.progress(message_id)).waits_for_person
    await web_store.conversations.actions.reply(web_agent, ref.conversation_id, "By hand.")
    reply = (await customer_view.progress(message_id)).reply
    assert reply
    assert (reply.text, reply.member_name) == ("By hand.", "Anna")


async def test_the_desk_is_not_shown_at_work_while_a_person_has_the_conversation(
    web_store: Store, web_agent: Member
) -> None:
    customer_view = web_store.conversations.customer_view
    ref, _ = await asked(web_store, "one")
    assert (await customer_view.snapshot(ref)).working
    await web_store.conversations.actions.take_over(web_agent, ref.conversation_id)
    assert await queued_turn(web_store, ref.conversation_id)
    snapshot = await customer_view.snapshot(ref)
    assert (snapshot.working, snapshot.assignee) == (False, "Anna")


async def test_a_dismissed_message_is_over_without_a_reply(web_store: Store) -> None:
    ref, (message_id,) = await asked(web_store, "one")
    proposal = await proposal_for(web_store, ref.conversation_id, DRAFT)
    await web_store.conversations.completion.dismiss(proposal)
    progress = await web_store.conversations.customer_view.progress(message_id)
    assert progress.settled
    assert progress.reply is None
    assert not progress.waits_for_person


async def test_notes_are_for_members_only(web_store: Store, web_agent: Member) -> None:
    customer_view = web_store.conversations.customer_view
    ref, _ = await asked(web_store, "one")
    await web_store.conversations.actions.note(web_agent, ref.conversation_id, "Careful here.")
    assert [one.message.text for one in await customer_view.visible_messages(ref)] == ["one"]
    assert [one.message.text for one in await customer_view.visible_messages(ref, internal=True)] == [
        "one",
        "Careful here.",
    ]
