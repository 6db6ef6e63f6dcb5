"""Past drafts are read as policy saw them, the same on SQLite and PostgreSQL."""

from dataclasses import replace

import pytest

from storage.records import (
    Attachment,
    Decision,
    DecisionKind,
    Draft,
    Incoming,
    Member,
    Mode,
    Place,
    Priority,
    Triage,
    new_id,
)
from storage.reporting.past_drafts import PastDraft
from storage.store import Store
from storage.turns.begin import TurnWork
from storage.turns.result import TurnResult
from tests.contract.reporting.test_analytics import DRAFT, decided, sent


async def latest(store: Store, limit: int = 50) -> tuple[PastDraft, ...]:
    return await store.reporting.past_drafts.latest("demo", limit)


async def wrote(store: Store, thread: str, *attachments: Attachment, place: str = "") -> TurnWork:
    accepted = await store.conversations.intake.accept(
        Incoming("demo", "slack", new_id(), thread, thread, "How?", place=place, attachments=attachments)
    )
    work = await store.conversations.turns.begin(accepted.turn_id or "")
    assert isinstance(work, TurnWork)
    return work


def result(work: TurnWork, draft: Draft = DRAFT, triage: Triage | None = None) -> TurnResult:
    return TurnResult(
        turn_id=work.turn_id,
        workspace_id="demo",
        conversation_id=work.conversation_id,
        upto_seq=work.upto_seq,
        question=work.question,
        draft=draft,
        triage=triage or Triage(),
    )


def decision_of(member: Member, kind: DecisionKind) -> Decision:
    return Decision(kind=kind, guidance="Otherwise.", member_id=member.id, member_name=member.name)


async def test_a_draft_comes_with_what_policy_looks_at(store: Store) -> None:
    triage = Triage(intent="billing", priority=Priority.LOW, wants_human=True)
    work = await wrote(store, "A")
    await store.conversations.completion.send(result(work, triage=triage))
    (past,) = await latest(store)
    assert (past.turn_id, past.channel, past.question) == (work.turn_id, "slack", "How?")
    assert (past.draft, past.triage) == (DRAFT, triage)
    assert (past.bot_turns, past.unread_files, past.held_because, past.decision) == (0, False, (), None)
    assert past.place_mode is None


async def test_the_latest_come_first_and_no_more_than_asked_for(store: Store) -> None:
    works = [await sent(store, thread) for thread in "ABC"]
    assert [past.turn_id for past in await latest(store, 2)] == [works[2].turn_id, works[1].turn_id]


@pytest.mark.parametrize("kind", [DecisionKind.APPROVE, DecisionKind.EDIT, DecisionKind.DISMISS, DecisionKind.ESCALATE])
async def test_what_a_person_made_of_it_is_known(store: Store, agent: Member, kind: DecisionKind) -> None:
    await decided(store, agent, "A", kind)
    (past,) = await latest(store)
    assert past.decision is kind


async def test_a_redraft_is_left_out_and_the_first_draft_counts_as_rejected(store: Store, agent: Member) -> None:
    work = await wrote(store, "A")
    first = result(work)
    await store.conversations.completion.hold(replace(first, held_because=("Unsure.",)))
    review = await store.conversations.reviews.of_conversation("demo", work.conversation_id)
    assert review
    from_reviews = store.conversations.reviews
    rejection = decision_of(agent, DecisionKind.REJECT)
    await from_reviews.decide(agent, review.id, rejection, based_on=1)
    other = DRAFT.model_copy(update={"text": "Another one."})
    await store.conversations.completion.hold(replace(first, draft=other, version=2), rejection)
    again = await from_reviews.of_conversation("demo", work.conversation_id)
    assert again
    approval = decision_of(agent, DecisionKind.APPROVE)
    await from_reviews.decide(agent, again.id, approval, based_on=2)
    await store.conversations.completion.send(replace(first, draft=other, version=2), decision=approval)
    (past,) = await latest(store)
    assert (past.draft.text, past.decision) == (DRAFT.text, DecisionKind.REJECT)
    assert past.held_because == ("Unsure.",)


async def test_automatic_replies_in_a_row_are_counted_up_to_the_draft(store: Store, agent: Member) -> None:
    for _ in range(3):
        await sent(store, "A")
    assert [past.bot_turns for past in await latest(store)] == [2, 1, 0]
    await decided(store, agent, "A", DecisionKind.APPROVE)
    await sent(store, "A")
    assert [past.bot_turns for past in await latest(store)] == [0, 3, 2, 1, 0]


async def test_the_count_begins_anew_when_a_member_hands_back(store: Store, agent: Member) -> None:
    work = await sent(store, "A")
    await store.conversations.actions.take_over(agent, work.conversation_id)
    await store.conversations.actions.hand_back(agent, work.conversation_id)
    await sent(store, "A")
    await sent(store, "A")
    assert [past.bot_turns for past in await latest(store)] == [1, 0, 0]


async def test_other_conversations_do_not_count(store: Store) -> None:
    await sent(store, "A")
    await sent(store, "B")
    assert [past.bot_turns for past in await latest(store)] == [0, 0]


async def test_files_that_nobody_could_read_are_known(store: Store) -> None:
    work = await wrote(store, "A", Attachment("photo.png", "https://files.example/photo.png", "image/png"))
    await store.conversations.completion.send(result(work))
    assert [past.unread_files for past in await latest(store)] == [True]


async def test_the_mode_of_the_place_is_the_one_that_it_has_now(store: Store, admin: Member) -> None:
    work = await wrote(store, "A", place="C1")
    await store.conversations.completion.send(result(work))
    await store.channels.places.keep(Place("demo", "slack", "T1", "C1", mode=Mode.SHADOW), admin)
    assert [past.place_mode for past in await latest(store)] == [Mode.SHADOW]


async def test_another_workspace_sees_none_of_it(store: Store) -> None:
    await sent(store, "A")
    assert await store.reporting.past_drafts.latest("other", 50) == ()
