"""The way of a message through the rows, on SQLite and PostgreSQL."""

import asyncio
from datetime import timedelta

import pytest

from storage import clock
from storage.conversations.intake import Accepted
from storage.database.tables import labels
from storage.errors import (
    AlreadyDecidedError,
    InvalidError,
    NotFoundError,
    StaleError,
)
from storage.records import (
    Author,
    Citation,
    ConversationStatus,
    Decision,
    DecisionKind,
    Draft,
    Incoming,
    Member,
    Mode,
    ReviewStatus,
    Role,
    Triage,
    new_id,
)
from storage.store import Store
from storage.turns.begin import NotYet, TurnWork
from storage.turns.result import CommitResult, TurnResult
from tests.support.rows import database_of

DRAFT = Draft(
    text="Click Forgot password.",
    can_answer=True,
    confidence=0.9,
    citations=(Citation(chunk_id="c", document_id="d", title="How do I reset?", text="Click Forgot password."),),
    model="verbatim",
)


def incoming(text: str, external_id: str = "", thread: str = "thread-1", workspace_id: str = "demo") -> Incoming:
    return Incoming(
        workspace_id=workspace_id,
        channel="web",
        external_id=external_id or new_id(),
        thread=thread,
        customer_external_id=f"customer of {thread}",
        customer_name="Cleo",
        text=text,
    )


async def begun(store: Store, accepted: Accepted) -> TurnWork:
    assert accepted.turn_id
    work = await store.conversations.turns.begin(accepted.turn_id)
    assert isinstance(work, TurnWork)
    return work


def proposal(work: TurnWork, draft: Draft = DRAFT, version: int = 1) -> TurnResult:
    return work.result(
        draft, Triage(intent="account"), version=version, held_because=("Every reply is reviewed here.",)
    )


async def held(store: Store, text: str = "How do I reset?", thread: str = "thread-1") -> tuple[TurnWork, str]:
    work = await begun(store, await store.conversations.intake.accept(incoming(text, thread=thread)))
    assert await store.conversations.completion.hold(proposal(work)) is CommitResult.COMMITTED
    review = await store.conversations.reviews.of_conversation("demo", work.conversation_id)
    assert review
    return work, review.id


async def texts(store: Store, conversation_id: str, *, internal: bool = False) -> list[tuple[str, str]]:
    found = await store.conversations.messages.of_conversation("demo", conversation_id, internal=internal)
    return [(message.author, message.text) for message in found]


async def test_a_message_is_kept_once_however_often_it_arrives(store: Store) -> None:
    first = await store.conversations.intake.accept(incoming("hello?", "event-1"))
    again = await asyncio.gather(*(store.conversations.intake.accept(incoming("hello?", "event-1")) for _ in range(5)))
    assert {item.message_id for item in again} == {first.message_id}
    assert all(item.repeated for item in again)
    assert await texts(store, first.conversation_id) == [("customer", "hello?")]


async def test_the_first_messages_of_one_thread_that_race_share_a_conversation(store: Store) -> None:
    accepted = await asyncio.gather(*(store.conversations.intake.accept(incoming(f"text {n}")) for n in range(8)))
    assert len({item.conversation_id for item in accepted}) == 1
    assert sorted(item.seq for item in accepted) == list(range(1, 9))


async def test_fragments_become_one_turn_that_waits_for_the_pause(store: Store) -> None:
    first = await store.conversations.intake.accept(incoming("How do I"), gather_seconds=60)
    second = await store.conversations.intake.accept(incoming("reset my password?"), gather_seconds=0)
    assert first.turn_id == second.turn_id
    work = await begun(store, second)
    assert work.question == "How do I\nreset my password?"


async def test_a_turn_does_not_begin_while_the_customer_may_still_be_typing(store: Store) -> None:
    accepted = await store.conversations.intake.accept(incoming("How do I"), gather_seconds=60)
    assert accepted.turn_id
    waiting = await store.conversations.turns.begin(accepted.turn_id)
    assert isinstance(waiting, NotYet)
    assert waiting.until > clock.now() + timedelta(seconds=50)


async def test_a_sent_reply_ends_its_turn_once(store: Store) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    assert await store.conversations.completion.send(proposal(work)) is CommitResult.COMMITTED
    assert await store.conversations.completion.send(proposal(work)) is CommitResult.DROPPED
    assert await store.conversations.turns.begin(work.turn_id) is None
    assert await texts(store, work.conversation_id) == [("customer", "How do I reset?"), ("bot", DRAFT.text)]
    reply = (await store.conversations.messages.of_conversation("demo", work.conversation_id))[-1]
    assert reply.draft
    assert reply.draft.citations == DRAFT.citations


async def test_newer_words_restart_the_turn_over_everything(store: Store) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("cancel my plan")))
    later = await store.conversations.intake.accept(incoming("sorry, I mean pause it"))
    assert later.turn_id == work.turn_id
    assert await store.conversations.completion.send(proposal(work)) is CommitResult.RESTART
    again = await begun(store, later)
    assert again.question == "cancel my plan\nsorry, I mean pause it"
    assert await store.conversations.completion.send(proposal(again)) is CommitResult.COMMITTED


async def test_a_customer_who_never_stops_writing_is_answered_all_the_same(store: Store) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("one")))
    for number in range(3):
        await store.conversations.intake.accept(incoming(f"more {number}"))
        assert await store.conversations.completion.send(proposal(work)) is CommitResult.RESTART
    assert await store.conversations.completion.send(proposal(work)) is CommitResult.CONTINUED
    rest = await store.conversations.turns.queued_turn(work.conversation_id)
    assert rest
    again = await store.conversations.turns.begin(rest)
    assert isinstance(again, TurnWork)
    assert again.question == "more 0\nmore 1\nmore 2"


async def test_a_held_draft_waits_and_the_customer_is_told_once_per_wait(store: Store) -> None:
    work, _ = await held(store)
    conversation = await store.conversations.reading.read("demo", work.conversation_id)
    assert conversation.status is ConversationStatus.PENDING
    again = await begun(store, await store.conversations.intake.accept(incoming("are you there?")))
    assert again.question == "How do I reset?\nare you there?"
    await store.conversations.completion.hold(proposal(again))
    notices = [author for author, _ in await texts(store, work.conversation_id) if author == "system"]
    assert len(notices) == 1


async def test_a_new_message_overtakes_the_waiting_draft(store: Store, agent: Member) -> None:
    work, review_id = await held(store)
    await store.conversations.intake.accept(incoming("I mean the admin password"))
    assert (await store.conversations.reviews.read("demo", review_id)).status is ReviewStatus.SUPERSEDED
    with pytest.raises(StaleError) as stale:
        await store.conversations.reviews.decide(
            agent, review_id, Decision(kind=DecisionKind.APPROVE, member_id=agent.id), based_on=1
        )
    assert stale.value.new_text == "I mean the admin password"
    assert not [text for author, text in await texts(store, work.conversation_id) if author == "bot"]


async def test_only_the_first_of_many_decisions_wins(store: Store, agent: Member) -> None:
    _, review_id = await held(store)

    async def decide(kind: DecisionKind) -> str:
        decision = Decision(kind=kind, text="Mine.", guidance="Shorter.", member_id=agent.id, member_name=agent.name)
        try:
            await store.conversations.reviews.decide(agent, review_id, decision, based_on=1)
        except AlreadyDecidedError as error:
            return f"late, after {error.by}"
        return "won"

    results = await asyncio.gather(*(decide(kind) for kind in list(DecisionKind) * 3))
    assert sorted(results) == ["late, after Alex Agent"] * 14 + ["won"]


async def test_a_decision_on_another_version_is_stale(store: Store, agent: Member) -> None:
    _, review_id = await held(store)
    with pytest.raises(StaleError):
        await store.conversations.reviews.decide(
            agent, review_id, Decision(kind=DecisionKind.APPROVE, member_id=agent.id), based_on=2
        )


@pytest.mark.parametrize("kind", [DecisionKind.EDIT, DecisionKind.REJECT])
async def test_a_decision_that_says_nothing_is_refused_and_changes_nothing(
    store: Store, agent: Member, kind: DecisionKind
) -> None:
    _, review_id = await held(store)
    with pytest.raises(InvalidError):
        await store.conversations.reviews.decide(agent, review_id, Decision(kind=kind, member_id=agent.id), based_on=1)
    assert (await store.conversations.reviews.read("demo", review_id)).status is ReviewStatus.PENDING


async def test_an_approved_draft_is_sent_and_labelled_right(store: Store, agent: Member) -> None:
    work, review_id = await held(store)
    decision = Decision(kind=DecisionKind.APPROVE, member_id=agent.id, member_name=agent.name)
    await store.conversations.reviews.decide(agent, review_id, decision, based_on=1)
    assert await store.conversations.completion.send(proposal(work), decision=decision) is CommitResult.COMMITTED
    assert (await texts(store, work.conversation_id))[-1] == ("bot", DRAFT.text)
    assert await labels_of(store) == [("decision", True)]


async def labels_of(store: Store) -> list[tuple[str, bool]]:
    async with database_of(store).read() as connection:
        return [(row.source, row.correct) for row in await connection.execute(labels.select())]


async def test_while_a_person_has_the_conversation_the_bot_sends_nothing(store: Store, agent: Member) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    await store.conversations.actions.take_over(agent, work.conversation_id)
    assert await store.conversations.completion.send(proposal(work)) is CommitResult.DROPPED
    later = await store.conversations.intake.accept(incoming("hello?"))
    assert later.turn_id is None
    assert not [author for author, _ in await texts(store, work.conversation_id) if author == Author.BOT]


async def test_a_reply_on_its_way_is_held_back_when_a_person_takes_over(store: Store, agent: Member) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    await store.conversations.completion.send(proposal(work))
    await store.conversations.actions.take_over(agent, work.conversation_id)
    assert await store.conversations.outbox.next(work.conversation_id) is None


async def test_handing_back_gives_the_bot_what_nobody_answered(store: Store, agent: Member) -> None:
    work, _ = await held(store)
    await store.conversations.actions.take_over(agent, work.conversation_id)
    await store.conversations.actions.reply(agent, work.conversation_id, "I am on it.")
    await store.conversations.intake.accept(incoming("thanks! and how do I export?"))
    turn_id = await store.conversations.actions.hand_back(agent, work.conversation_id)
    assert turn_id
    again = await store.conversations.turns.begin(turn_id)
    assert isinstance(again, TurnWork)
    assert again.question == "thanks! and how do I export?"


async def test_a_resolved_conversation_reopens_and_a_closed_one_starts_anew(store: Store, agent: Member) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    await store.conversations.completion.send(proposal(work))
    await store.conversations.actions.resolve(agent, work.conversation_id, "demo")
    reopened = await store.conversations.intake.accept(incoming("one more thing"))
    assert reopened.conversation_id == work.conversation_id
    await store.conversations.actions.close(agent, work.conversation_id, "demo")
    fresh = await store.conversations.intake.accept(incoming("hello again"))
    assert fresh.conversation_id != work.conversation_id


async def test_shadow_mode_keeps_the_draft_and_says_nothing(store: Store) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    await store.conversations.completion.hand_off(proposal(work), mode=Mode.SHADOW)
    assert await texts(store, work.conversation_id) == [("customer", "How do I reset?")]
    assert (await store.conversations.reading.read("demo", work.conversation_id)).status is ConversationStatus.ASSIGNED


async def test_nothing_of_one_workspace_is_seen_from_another(store: Store) -> None:
    await store.accounts.workspaces.create("other", "Other")
    stranger = await store.accounts.members.add("other", "agent@demo.example", "Sam", Role.ADMIN, "another password")
    work, review_id = await held(store)
    with pytest.raises(NotFoundError):
        await store.conversations.reviews.read("other", review_id)
    with pytest.raises(NotFoundError):
        await store.conversations.reading.read("other", work.conversation_id)
    with pytest.raises(NotFoundError):
        await store.conversations.actions.take_over(stranger, work.conversation_id)
    decision = Decision(kind=DecisionKind.APPROVE, member_id=stranger.id)
    with pytest.raises(NotFoundError):
        await store.conversations.reviews.decide(stranger, review_id, decision, based_on=1)
    assert (await store.conversations.reviews.page("other")).items == ()
    assert await store.conversations.messages.of_conversation("other", work.conversation_id, internal=True) == []
