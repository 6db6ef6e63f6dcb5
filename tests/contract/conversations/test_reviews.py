"""What a review shows, who wins it, and what a decision leaves in the rows, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from storage import clock
from storage.errors import AlreadyDecidedError, InvalidError, NotFoundError, StaleError
from storage.records import (
    ConversationStatus,
    Decision,
    DecisionKind,
    Draft,
    Member,
    Review,
    ReviewStatus,
    Role,
    Triage,
)
from storage.store import Store
from storage.turns.result import CommitResult
from tests.contract.desk.test_turns import DRAFT, begun, held, incoming, proposal, texts
from tests.support.rows import audit_trail

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def decision_of(member: Member, kind: DecisionKind, text: str = "", guidance: str = "") -> Decision:
    return Decision(kind=kind, text=text, guidance=guidance, member_id=member.id, member_name=member.name)


async def opened_at(store: Store, at: datetime, thread: str) -> str:
    """A review that waits since then; gives its id."""
    with clock.frozen(at):
        return (await held(store, thread=thread))[1]


async def test_a_review_shows_everything_that_is_decided_on(store: Store) -> None:
    with clock.frozen(NOON):
        work, review_id = await held(store)
    assert await store.conversations.reviews.read("demo", review_id) == Review(
        id=review_id,
        workspace_id="demo",
        conversation_id=work.conversation_id,
        turn_id=work.turn_id,
        version=1,
        status=ReviewStatus.PENDING,
        draft=DRAFT,
        held_because=("Every reply is reviewed here.",),
        question="How do I reset?",
        triage=Triage(intent="account"),
        created_at=NOON,
        customer_name="Cleo",
        channel="web",
    )
    assert await store.conversations.reviews.by_id(review_id) == await store.conversations.reviews.read(
        "demo", review_id
    )
    assert await store.conversations.reviews.by_id("unknown") is None


async def test_a_decided_review_shows_the_decision_and_when(store: Store, agent: Member) -> None:
    work, review_id = await held(store)
    made = decision_of(agent, DecisionKind.REJECT, guidance="Shorter.")
    with clock.frozen(NOON):
        decided = await store.conversations.reviews.decide(agent, review_id, made, based_on=1)
    assert (decided.turn_id, decided.conversation_id, decided.workspace_id) == (
        work.turn_id,
        work.conversation_id,
        "demo",
    )
    review = await store.conversations.reviews.read("demo", review_id)
    assert (review.status, review.decision, review.decided_at) == (ReviewStatus.DECIDED, made, NOON)
    trail = await audit_trail(store, "demo", work.conversation_id)
    (event,) = [event for event in trail if event.kind == "review.reject"]
    assert (event.turn_id, event.member_id) == (work.turn_id, agent.id)
    assert event.data == {"review_id": review_id, "version": 1}


async def test_reviews_come_by_pages_the_longest_waiting_first(store: Store) -> None:
    second = await opened_at(store, NOON, "a")
    third = await opened_at(store, NOON, "b")
    first = await opened_at(store, NOON - timedelta(hours=1), "c")
    expected = [first, *sorted([second, third])]
    found, cursor = list[str](), None
    for size in (1, 1, 1):
        page = await store.conversations.reviews.page("demo", ReviewStatus.PENDING, limit=1, cursor=cursor)
        found += [review.id for review in page.items]
        assert len(page.items) == size
        cursor = page.next
    assert found == expected
    assert cursor is None
    everything = await store.conversations.reviews.page("demo", limit=3)
    assert ([review.id for review in everything.items], everything.next) == (expected, None)
    assert (await store.conversations.reviews.page("demo", ReviewStatus.DECIDED)).items == ()


async def test_the_newest_review_of_a_conversation_is_its_review(store: Store) -> None:
    work, _ = await held(store)
    _, newer = await held(store, "I mean the admin password")
    found = await store.conversations.reviews.of_conversation("demo", work.conversation_id)
    assert found
    assert found.id == newer
    assert await store.conversations.reviews.of_conversation("other", work.conversation_id) is None
    assert await store.conversations.reviews.of_conversation("demo", "unknown") is None


async def test_who_claims_last_has_it_until_it_is_released(store: Store, agent: Member, admin: Member) -> None:
    _, review_id = await held(store)
    reviews = store.conversations.reviews
    assert (await reviews.claim(agent, review_id)).claimed_by == agent.name
    taken = await reviews.claim(admin, review_id)
    assert (taken.claimed_by, taken.claimed_by_id) == (admin.name, admin.id)
    assert (await reviews.claim(agent, review_id, release=True)).claimed_by_id is None


async def test_a_decision_ends_the_claim_and_nothing_decided_is_claimed(store: Store, agent: Member) -> None:
    _, review_id = await held(store)
    await store.conversations.reviews.claim(agent, review_id)
    await store.conversations.reviews.decide(agent, review_id, decision_of(agent, DecisionKind.APPROVE), based_on=1)
    assert (await store.conversations.reviews.read("demo", review_id)).claimed_by is None
    with pytest.raises(AlreadyDecidedError) as late:
        await store.conversations.reviews.claim(agent, review_id)
    assert late.value.by == agent.name


async def test_nobody_claims_another_workspaces_review(store: Store) -> None:
    await store.accounts.workspaces.create("other", "Other")
    stranger = await store.accounts.members.add("other", "sam@other.example", "Sam", Role.ADMIN, "another password")
    _, review_id = await held(store)
    with pytest.raises(NotFoundError, match="no such review in this workspace"):
        await store.conversations.reviews.claim(stranger, review_id)


async def test_from_an_escalation_on_the_bot_is_silent_and_the_team_sees_who_took_over(
    store: Store, agent: Member
) -> None:
    work, review_id = await held(store)
    await store.conversations.reviews.decide(agent, review_id, decision_of(agent, DecisionKind.ESCALATE), based_on=1)
    conversation = await store.conversations.reading.read("demo", work.conversation_id)
    assert (conversation.status, conversation.assignee_id) == (ConversationStatus.ASSIGNED, agent.id)
    line = (await store.conversations.messages.of_conversation("demo", work.conversation_id, internal=True))[-1]
    assert (line.author, line.text, line.member_id) == ("system", "Alex Agent took over.", agent.id)


@pytest.mark.parametrize("kind", [DecisionKind.APPROVE, DecisionKind.DISMISS, DecisionKind.REJECT])
async def test_what_is_no_escalation_leaves_the_conversation_with_the_bot(
    store: Store, agent: Member, kind: DecisionKind
) -> None:
    work, review_id = await held(store)
    made = decision_of(agent, kind, guidance="Shorter.")
    await store.conversations.reviews.decide(agent, review_id, made, based_on=1)
    conversation = await store.conversations.reading.read("demo", work.conversation_id)
    assert (conversation.status, conversation.assignee_id) == (ConversationStatus.PENDING, None)


@pytest.mark.parametrize(
    ("kind", "draft", "advice"),
    [
        (DecisionKind.APPROVE, Draft(text=" \n"), "This draft is empty: edit it"),
        (DecisionKind.EDIT, DRAFT, "The reply is empty: write it"),
        (DecisionKind.REJECT, DRAFT, "a rejection needs guidance"),
    ],
)
async def test_a_decision_without_words_says_what_is_missing(
    store: Store, agent: Member, kind: DecisionKind, draft: Draft, advice: str
) -> None:
    work = await begun(store, await store.conversations.intake.accept(incoming("How do I reset?")))
    assert await store.conversations.completion.hold(proposal(work, draft)) is CommitResult.COMMITTED
    review = await store.conversations.reviews.of_conversation("demo", work.conversation_id)
    assert review
    blank = decision_of(agent, kind, text="  ", guidance="  ")
    with pytest.raises(InvalidError, match=advice):
        await store.conversations.reviews.decide(agent, review.id, blank, based_on=1)


async def test_an_overtaken_draft_shows_all_newer_words_of_the_customer_and_no_others(
    store: Store, agent: Member
) -> None:
    work, review_id = await held(store)
    await store.conversations.intake.accept(incoming("I mean the admin password"))
    await store.conversations.actions.note(agent, work.conversation_id, "A note among us.")
    await store.conversations.intake.accept(incoming("of the old account"))
    with pytest.raises(StaleError) as stale:
        await store.conversations.reviews.decide(agent, review_id, decision_of(agent, DecisionKind.APPROVE), based_on=1)
    assert stale.value.new_text == "I mean the admin password\nof the old account"
    assert not [author for author, _ in await texts(store, work.conversation_id) if author == "bot"]


async def test_a_draft_whose_conversation_a_person_has_is_stale_for_that_reason(store: Store, agent: Member) -> None:
    work, review_id = await held(store)
    await store.conversations.actions.take_over(agent, work.conversation_id)
    with pytest.raises(StaleError) as stale:
        await store.conversations.reviews.decide(agent, review_id, decision_of(agent, DecisionKind.APPROVE), based_on=1)
    assert stale.value.new_text == "a person has taken the conversation over"


async def test_another_version_is_named_to_who_decides_on_an_older_one(store: Store, agent: Member) -> None:
    _, review_id = await held(store)
    with pytest.raises(StaleError) as stale:
        await store.conversations.reviews.decide(agent, review_id, decision_of(agent, DecisionKind.APPROVE), based_on=0)
    assert stale.value.new_text == "the draft is now version 1"
