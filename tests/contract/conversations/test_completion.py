"""What the end of a turn leaves in its conversation, on both databases."""

from storage.records import Author, Decision, DecisionKind, Member, Mode, ReviewStatus
from storage.store import Store
from storage.turns.result import CommitResult
from tests.contract.desk.test_turns import begun, held, incoming, proposal


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
