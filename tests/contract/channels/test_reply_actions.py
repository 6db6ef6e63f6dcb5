"""The buttons under a reply: one rule of who may click, and what each click does, whatever the platform."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.reply_actions import NOT_THE_CUSTOMER, PERSON_COMES, PERSON_IS_HERE, THANKS, ReplyActions, ReplyClick
from storage.embeddings.protocol import Embedder
from storage.errors import NotAllowedError, NotFoundError
from storage.records import Citation, Conversation, ConversationStatus, Draft, Incoming
from tests.support.settings import settings_for
from tests.support.web_desk import WebDesk, open_web_desk

CUSTOMER, SOMEBODY = "T1/U1", "T1/U2"
SOURCE = Citation(chunk_id="c1", document_id="d1", title="How do I reset?", text="Press reset.")
DRAFT = Draft(text="Press reset.", citations=(SOURCE,), follow_ups=("And then?",), can_answer=True, confidence=0.9)


@pytest.fixture
async def desk(tmp_path: Path, embedder: Embedder) -> AsyncIterator[WebDesk]:
    async with open_web_desk(settings_for(tmp_path), embedder) as opened:
        yield opened


async def answered(desk: WebDesk) -> tuple[Conversation, str]:
    """A conversation with a reply, and the reply's id."""
    incoming = Incoming("demo", "slack", "m1", "T1/C1/1", CUSTOMER, "How do I reset?", place="C1")
    accepted = await desk.intake.accept(incoming)
    await desk.answer(accepted.conversation_id, DRAFT)
    said = await desk.store.conversations.messages.of_conversation("demo", accepted.conversation_id)
    return await reread(desk, accepted.conversation_id), said[-1].id


async def reread(desk: WebDesk, conversation_id: str) -> Conversation:
    return await desk.store.conversations.reading.read("demo", conversation_id)


def actions_of(desk: WebDesk) -> ReplyActions:
    return ReplyActions(desk.store, desk.intake, desk.desk)


async def test_only_the_customer_of_the_conversation_acts(desk: WebDesk) -> None:
    conversation, reply = await answered(desk)
    actions, click = actions_of(desk), ReplyClick(conversation, SOMEBODY)
    for act in (
        actions.vote(click, reply, "up"),
        actions.ask_person(click),
        actions.resolve(click),
        actions.ask_follow_up(click, "And then?", "f1"),
    ):
        with pytest.raises(NotAllowedError) as refused:
            await act
        assert refused.value.detail == NOT_THE_CUSTOMER
    said = await desk.store.conversations.messages.of_conversation("demo", conversation.id)
    assert [message.vote for message in said] == [None, None]
    assert await reread(desk, conversation.id) == conversation


async def test_a_member_is_no_customer_either(desk: WebDesk) -> None:
    """A member's vote would count as the customer's evidence."""
    conversation, reply = await answered(desk)
    member = replace(conversation, assignee_name="Sue", assignee_id="sue")
    with pytest.raises(NotAllowedError):
        await actions_of(desk).vote(ReplyClick(member, "T1/SUE"), reply, "up")


async def test_a_vote_is_kept_and_may_be_changed(desk: WebDesk) -> None:
    conversation, reply = await answered(desk)
    actions, click = actions_of(desk), ReplyClick(conversation, CUSTOMER)
    assert await actions.vote(click, reply, "up") == THANKS["up"]
    assert await actions.vote(click, reply, "down") == THANKS["down"]
    said = await desk.store.conversations.messages.of_conversation("demo", conversation.id)
    assert said[-1].vote == "down"


async def test_a_vote_for_a_message_of_another_conversation_is_refused(desk: WebDesk) -> None:
    conversation, _ = await answered(desk)
    with pytest.raises(NotFoundError):
        await actions_of(desk).vote(ReplyClick(conversation, CUSTOMER), "0" * 32, "up")


async def test_asking_for_a_person_hands_over_once(desk: WebDesk) -> None:
    conversation, _ = await answered(desk)
    actions = actions_of(desk)
    assert await actions.ask_person(ReplyClick(conversation, CUSTOMER)) == PERSON_COMES
    handed_over = await reread(desk, conversation.id)
    assert handed_over.status is ConversationStatus.ASSIGNED
    assert await actions.ask_person(ReplyClick(handed_over, CUSTOMER)) == PERSON_IS_HERE


async def test_solved_settles_the_matter(desk: WebDesk) -> None:
    conversation, _ = await answered(desk)
    await actions_of(desk).resolve(ReplyClick(conversation, CUSTOMER))
    assert (await reread(desk, conversation.id)).status is ConversationStatus.RESOLVED


async def test_a_follow_up_is_the_customers_next_message_once(desk: WebDesk) -> None:
    conversation, _ = await answered(desk)
    actions, click = actions_of(desk), ReplyClick(conversation, CUSTOMER)
    first = await actions.ask_follow_up(click, "And then?", "f1")
    again = await actions.ask_follow_up(click, "And then?", "f1")
    assert (first.repeated, again.repeated) == (False, True)
    said = await desk.store.conversations.messages.of_conversation("demo", conversation.id)
    assert [message.text for message in said].count("And then?") == 1
    assert first.conversation_id == conversation.id


async def test_everybody_who_sees_a_reply_may_see_its_sources(desk: WebDesk) -> None:
    _, reply = await answered(desk)
    actions = actions_of(desk)
    assert await actions.sources("demo", reply) == (SOURCE,)
    assert await actions.sources("demo", "0" * 32) == ()
    assert await actions.sources("other", reply) == ()
