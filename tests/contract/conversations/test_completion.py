"""What the end of a turn leaves in its conversation, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import RowMapping, select

from storage import clock
from storage.database.tables import conversations, turns
from storage.records import (
    AuditEvent,
    Author,
    ConversationStatus,
    Decision,
    DecisionKind,
    Member,
    Mode,
    Outcome,
    ReviewStatus,
    TurnStatus,
)
from storage.store import Store
from storage.turns.result import CommitResult
from tests.contract.desk.test_turns import begun, held, incoming, proposal
from tests.support.rows import audit_trail, database_of

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


async def notices(store: Store, conversation_id: str) -> list[str]:
    """What the customer was told that nobody wrote."""
    found = await store.conversations.messages.of_conversation("demo", conversation_id)
    return [message.text for message in found if message.author is Author.SYSTEM]


async def numbers(store: Store, conversation_id: str) -> list[int]:
    found = await store.conversations.messages.of_conversation("demo", conversation_id, internal=True)
    return [message.seq for message in found]


async def dismissed(store: Store, agent: Member) -> str:
    """A conversation whose only draft a person dismissed; gives its id."""
    work, review_id = await held(store)
    decision = Decision(kind=DecisionKind.DISMISS, member_id=agent.id, member_name=agent.name)
    await store.conversations.reviews.decide(agent, review_id, decision, based_on=1)
    assert await store.conversations.completion.dismiss(proposal(work), decision) is CommitResult.COMMITTED
    return work.conversation_id


async def test_after_a_dismissal_the_next_wait_is_told_again(store: Store, agent: Member) -> None:
    conversation_id = await dismissed(store, agent)
    assert len(await notices(store, conversation_id)) == 1
    await held(store, "and how do I export?")
    assert len(await notices(store, conversation_id)) == 2


async def test_after_a_dismissal_nobody_waits(store: Store, agent: Member) -> None:
    conversation_id = await dismissed(store, agent)
    conversation = await store.conversations.reading.read("demo", conversation_id)
    assert conversation.waiting_since is None
    assert await store.conversations.turns.queued_turn(conversation_id) is None


async def test_a_wait_is_told_once_however_many_drafts_it_takes(store: Store) -> None:
    work, _ = await held(store)
    await held(store, "I mean the other account")
    assert len(await notices(store, work.conversation_id)) == 1
    waiting = await store.conversations.reviews.page("demo", ReviewStatus.PENDING)
    assert len(waiting.items) == 1


async def test_the_texts_of_a_conversation_are_numbered_without_gaps(store: Store, agent: Member) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    await store.conversations.completion.send(proposal(work))
    await held(store, "and how do I export?")
    await store.conversations.actions.take_over(agent, work.conversation_id)
    await store.conversations.actions.note(agent, work.conversation_id, "Careful here.")
    await store.conversations.actions.reply(agent, work.conversation_id, "By hand.")
    await store.conversations.actions.record_thread_reply(agent, work.conversation_id, "Written in the thread.", "m1")
    await store.conversations.actions.hand_back(agent, work.conversation_id)
    last = await begun(store, await store.conversations.intake.accept(incoming("thanks, and the invoice?")))
    await store.conversations.completion.hand_off(proposal(last), mode=Mode.AUTO)
    await store.conversations.actions.resolve(agent, work.conversation_id, "demo")
    counted = await numbers(store, work.conversation_id)
    assert counted == list(range(1, len(counted) + 1))
    assert len(counted) >= 12


async def turn_row(store: Store, turn_id: str) -> RowMapping:
    async with database_of(store).read() as connection:
        return (await connection.execute(select(turns).where(turns.c.id == turn_id))).mappings().one()


async def conversation_row(store: Store, conversation_id: str) -> RowMapping:
    query = select(conversations).where(conversations.c.id == conversation_id)
    async with database_of(store).read() as connection:
        return (await connection.execute(query)).mappings().one()


async def event_of(store: Store, conversation_id: str, kind: str) -> AuditEvent:
    """The one event of this kind."""
    (event,) = [found for found in await audit_trail(store, "demo", conversation_id) if found.kind == kind]
    return event


async def test_a_sent_reply_is_in_every_row_that_it_concerns(store: Store) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    with clock.frozen(NOON):
        await store.conversations.completion.send(proposal(work))
    reply = (await store.conversations.messages.of_conversation("demo", work.conversation_id))[-1]
    assert (reply.author, reply.member_id, reply.text) == (Author.BOT, None, "Click Forgot password.")
    turn = await turn_row(store, work.turn_id)
    assert (turn["status"], turn["outcome"], turn["upto_seq"]) == (TurnStatus.DONE, Outcome.SENT, work.upto_seq)
    assert turn["finished_at"] == NOON
    row = await conversation_row(store, work.conversation_id)
    assert (row["status"], row["intent"], row["bot_turns"]) == (ConversationStatus.OPEN, "account", 1)
    assert (row["last_seq"], row["answered_seq"], row["waiting_since"]) == (2, 1, None)
    assert row["first_reply_at"] == row["updated_at"] == NOON
    event = await event_of(store, work.conversation_id, "turn.sent")
    assert (event.turn_id, event.data) == (work.turn_id, {"message_id": reply.id})


async def test_a_second_reply_does_not_change_when_the_first_one_was(store: Store) -> None:
    first = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    with clock.frozen(NOON):
        await store.conversations.completion.send(proposal(first))
    second = await begun(store, await store.conversations.intake.accept(incoming("and how do I export?")))
    await store.conversations.completion.send(proposal(second))
    row = await conversation_row(store, first.conversation_id)
    assert (row["first_reply_at"], row["bot_turns"]) == (NOON, 2)


@pytest.mark.parametrize(("kind", "author"), [(DecisionKind.EDIT, Author.AGENT), (DecisionKind.APPROVE, Author.BOT)])
async def test_an_edited_reply_is_the_agents_own_and_an_approved_one_the_bots(
    store: Store, agent: Member, kind: DecisionKind, author: Author
) -> None:
    work, review_id = await held(store)
    decision = Decision(kind=kind, text="My words.", member_id=agent.id, member_name=agent.name)
    await store.conversations.reviews.decide(agent, review_id, decision, based_on=1)
    await store.conversations.completion.send(proposal(work), decision=decision)
    reply = (await store.conversations.messages.of_conversation("demo", work.conversation_id))[-1]
    assert (reply.author, reply.member_id) == (author, agent.id)
    row = await conversation_row(store, work.conversation_id)
    assert (row["bot_turns"], row["waiting_notified"]) == (0, False)
    event = await event_of(store, work.conversation_id, "turn.reviewed")
    assert event.data == {"message_id": reply.id, "decision": kind, "by": "Alex Agent"}
    assert (await turn_row(store, work.turn_id))["outcome"] == Outcome.REVIEWED


async def test_a_held_turn_keeps_its_checkpoint_and_says_why_it_waits(store: Store) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    await store.conversations.completion.hold(replace(proposal(work), checkpoint_id="checkpoint-7"))
    turn = await turn_row(store, work.turn_id)
    assert (turn["status"], turn["checkpointed"], turn["checkpoint_id"]) == (TurnStatus.WAITING, True, "checkpoint-7")
    assert turn["upto_seq"] == work.upto_seq
    review = await store.conversations.reviews.of_conversation("demo", work.conversation_id)
    assert review
    event = await event_of(store, work.conversation_id, "review.opened")
    because = ["Every reply is reviewed here."]
    assert event.data == {"review_id": review.id, "version": 1, "because": because}
    row = await conversation_row(store, work.conversation_id)
    assert (row["intent"], row["waiting_notified"]) == ("account", True)
    assert row["waiting_since"] is not None


async def test_a_turn_that_a_person_answers_by_hand_says_why(store: Store) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    await store.conversations.completion.hand_off(proposal(work), mode=Mode.AUTO)
    event = await event_of(store, work.conversation_id, "turn.handoff")
    assert event.data == {"because": ["Every reply is reviewed here."]}
    assert (await turn_row(store, work.turn_id))["outcome"] == Outcome.HANDOFF
    row = await conversation_row(store, work.conversation_id)
    assert (row["status"], row["intent"]) == (ConversationStatus.ASSIGNED, "account")
    assert len(await notices(store, work.conversation_id)) == 1


async def test_an_approved_reply_that_a_person_forestalled_is_said_to_be_unsent(store: Store, agent: Member) -> None:
    work, review_id = await held(store)
    decision = Decision(kind=DecisionKind.APPROVE, member_id=agent.id, member_name=agent.name)
    await store.conversations.reviews.decide(agent, review_id, decision, based_on=1)
    await store.conversations.actions.take_over(agent, work.conversation_id)
    assert await store.conversations.completion.send(proposal(work), decision=decision) is CommitResult.DROPPED
    told = [
        message.text
        for message in await store.conversations.messages.of_conversation("demo", work.conversation_id, internal=True)
    ]
    assert "The approved reply was not sent: a person had taken over." in told
    turn = await turn_row(store, work.turn_id)
    assert (turn["status"], turn["outcome"]) == (TurnStatus.DONE, Outcome.SILENCED)


async def test_who_wrote_more_meanwhile_waits_on_since_they_began(store: Store) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("one")))
    waiting_since = (await conversation_row(store, work.conversation_id))["waiting_since"]
    for number in range(3):
        await store.conversations.intake.accept(incoming(f"more {number}"))
        await store.conversations.completion.send(proposal(work))
    assert await store.conversations.completion.send(proposal(work)) is CommitResult.CONTINUED
    row = await conversation_row(store, work.conversation_id)
    assert row["waiting_since"] == waiting_since
    assert row["answered_seq"] == 1


async def test_a_decided_reply_does_not_reopen_what_was_resolved_meanwhile(store: Store, agent: Member) -> None:
    work, review_id = await held(store)
    decision = Decision(kind=DecisionKind.APPROVE, member_id=agent.id, member_name=agent.name)
    await store.conversations.reviews.decide(agent, review_id, decision, based_on=1)
    await store.conversations.actions.resolve(agent, work.conversation_id, "demo")
    await store.conversations.completion.send(proposal(work), decision=decision)
    row = await conversation_row(store, work.conversation_id)
    assert row["status"] == ConversationStatus.RESOLVED


async def test_a_result_of_an_unknown_turn_is_a_mistake(store: Store) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    with pytest.raises(LookupError, match="unknown"):
        await store.conversations.completion.send(replace(proposal(work), turn_id="unknown"))
