"""A workspace's numbers, the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from storage.clock import now
from storage.conversations import labels
from storage.conversations.intake import Accepted
from storage.database.engine import Database
from storage.database.tables import (
    conversations,
    decisions,
    messages,
    reviews,
    turns,
)
from storage.errors import InvalidError
from storage.records import (
    Citation,
    Decision,
    DecisionKind,
    Draft,
    Incoming,
    LabelSource,
    Member,
    Mode,
    Outcome,
    Triage,
    new_id,
)
from storage.reporting.report import (
    AnalyticsReport,
    DurationStats,
    LabelCounts,
    OutcomeShares,
    VoteCounts,
)
from storage.store import Store
from storage.turns.begin import TurnWork
from storage.turns.result import CommitResult, TurnResult
from tests.support.rows import database_of

MONDAY = datetime(2030, 3, 4, tzinfo=UTC)
NOON = MONDAY + timedelta(hours=12)
WEEK = MONDAY, MONDAY + timedelta(days=7)
DRAFT = Draft(
    text="Click Forgot password.",
    can_answer=True,
    confidence=0.9,
    citations=(Citation(chunk_id="c", document_id="d", title="How do I reset?", text="Click Forgot password."),),
    model="verbatim",
)


async def report(store: Store, workspace: str = "demo", span: tuple[datetime, datetime] = WEEK) -> AnalyticsReport:
    return await store.reporting.analytics.report(workspace, *span)


async def begun(store: Store, thread: str, text: str = "How?", workspace: str = "demo") -> TurnWork:
    accepted: Accepted = await store.conversations.intake.accept(
        Incoming(
            workspace_id=workspace,
            channel="slack",
            external_id=new_id(),
            thread=thread,
            customer_external_id=thread,
            text=text,
        )
    )
    assert accepted.turn_id
    work = await store.conversations.turns.begin(accepted.turn_id)
    assert isinstance(work, TurnWork)
    return work


def proposal(work: TurnWork, intent: str = "account") -> TurnResult:
    return work.result(DRAFT, Triage(intent=intent))


async def sent(store: Store, thread: str, intent: str = "account", workspace: str = "demo") -> TurnWork:
    work = await begun(store, thread, workspace=workspace)
    assert await store.conversations.completion.send(proposal(work, intent)) is CommitResult.COMMITTED
    return work


async def held(store: Store, thread: str) -> tuple[TurnWork, str]:
    work = await begun(store, thread)
    assert await store.conversations.completion.hold(proposal(work)) is CommitResult.COMMITTED
    review = await store.conversations.reviews.of_conversation("demo", work.conversation_id)
    assert review
    return work, review.id


async def decided(store: Store, member: Member, thread: str, kind: DecisionKind) -> TurnWork:
    work, review_id = await held(store, thread)
    decision = Decision(kind=kind, text="Other words.", member_id=member.id, member_name=member.name)
    await store.conversations.reviews.decide(member, review_id, decision, based_on=1)
    match kind:
        case DecisionKind.APPROVE | DecisionKind.EDIT:
            await store.conversations.completion.send(proposal(work), decision=decision)
        case DecisionKind.DISMISS:
            await store.conversations.completion.dismiss(proposal(work), decision)
        case DecisionKind.ESCALATE:
            await store.conversations.completion.hand_off(proposal(work), mode=Mode.AUTO, decision=decision)
        case DecisionKind.REJECT:
            raise AssertionError("a rejection ends nothing")
    return work


async def moved(database: Database, work: TurnWork, at: datetime, reply_after: float = 60, wait: float = 30) -> None:
    """Let a conversation have happened at this time."""
    replied = at + timedelta(seconds=reply_after)
    mine = work.conversation_id
    async with database.write() as connection:
        await connection.execute(
            update(conversations).where(conversations.c.id == mine).values(created_at=at, first_reply_at=replied)
        )
        for table in (messages, reviews, turns):
            await connection.execute(update(table).where(table.c.conversation_id == mine).values(created_at=at))
        await connection.execute(update(turns).where(turns.c.conversation_id == mine).values(finished_at=replied))
        ours = decisions.c.review_id.in_(select(reviews.c.id).where(reviews.c.conversation_id == mine))
        await connection.execute(update(decisions).where(ours).values(created_at=at + timedelta(seconds=wait)))


async def test_an_empty_span_counts_nothing_and_shows_every_day(store: Store) -> None:
    empty = await report(store)
    assert (empty.messages_in, empty.messages_out, empty.conversations) == (0, 0, 0)
    assert empty.turns == dict.fromkeys(Outcome, 0)
    assert empty.decisions == dict.fromkeys(DecisionKind, 0)
    assert empty.shares == OutcomeShares(0, 0, 0, 0)
    assert empty.first_reply == empty.review_wait == DurationStats(0, None, None)
    assert empty.labels == dict.fromkeys(LabelSource, LabelCounts(0, 0))
    assert empty.automatic.error is None
    assert [day.day for day in empty.days] == [MONDAY.date() + timedelta(days=n) for n in range(7)]


async def test_turns_are_counted_by_how_they_ended(store: Store, agent: Member) -> None:
    works = [await sent(store, f"sent {n}") for n in range(4)]
    works.append(await decided(store, agent, "approved", DecisionKind.APPROVE))
    works.append(await decided(store, agent, "edited", DecisionKind.EDIT))
    works.append(await decided(store, agent, "escalated", DecisionKind.ESCALATE))
    works.append(await decided(store, agent, "dismissed", DecisionKind.DISMISS))
    for work in works:
        await moved(database_of(store), work, NOON)
    counted = await report(store)
    assert counted.turns == {
        Outcome.SENT: 4,
        Outcome.REVIEWED: 2,
        Outcome.HANDOFF: 1,
        Outcome.DISMISSED: 1,
        Outcome.SILENCED: 0,
    }
    assert counted.shares == OutcomeShares(automatic=0.5, reviewed=0.25, handed_over=0.125, dismissed=0.125)
    assert counted.decisions == {
        DecisionKind.APPROVE: 1,
        DecisionKind.EDIT: 1,
        DecisionKind.REJECT: 0,
        DecisionKind.ESCALATE: 1,
        DecisionKind.DISMISS: 1,
    }
    assert (counted.conversations, counted.messages_in, counted.messages_out) == (8, 8, 6)
    monday = counted.days[0]
    assert (monday.automatic, monday.reviewed, monday.handed_over, monday.dismissed) == (4, 2, 1, 1)
    assert (monday.conversations, monday.messages_in, monday.messages_out) == (8, 8, 6)
    assert all(day.messages_in == day.automatic == 0 for day in counted.days[1:])


async def test_a_day_is_a_day_of_utc(store: Store) -> None:
    tuesday = MONDAY + timedelta(days=1)
    for thread, at in (("late", tuesday - timedelta(microseconds=1)), ("early", tuesday)):
        await moved(database_of(store), await sent(store, thread), at, reply_after=0)
    days = (await report(store)).days
    assert [(day.conversations, day.automatic, day.messages_in) for day in days[:3]] == [
        (1, 1, 1),
        (1, 1, 1),
        (0, 0, 0),
    ]


async def test_a_span_holds_its_beginning_but_not_its_end(store: Store) -> None:
    since, until = WEEK
    for thread, at in (("first", since), ("before", since - timedelta(microseconds=1)), ("end", until)):
        await moved(database_of(store), await sent(store, thread), at, reply_after=0)
    counted = await report(store)
    assert (counted.conversations, counted.turns[Outcome.SENT], counted.messages_in) == (1, 1, 1)


async def test_times_are_told_by_median_and_by_what_nine_of_ten_did_not_exceed(store: Store, agent: Member) -> None:
    for number in range(1, 11):
        work = await decided(store, agent, f"thread {number}", DecisionKind.APPROVE)
        await moved(database_of(store), work, NOON, reply_after=60 * number, wait=10 * number)
    counted = await report(store)
    assert counted.first_reply == DurationStats(count=10, median=330, p90=540)
    assert counted.review_wait == DurationStats(count=10, median=55, p90=90)


async def test_a_conversation_that_was_opened_long_before_its_first_text_was_not_waiting(store: Store) -> None:
    work = await sent(store, "thread")
    await moved(database_of(store), work, NOON, reply_after=5)
    async with database_of(store).write() as connection:
        await connection.execute(update(conversations).values(created_at=NOON - timedelta(hours=3)))
    assert (await report(store)).first_reply == DurationStats(1, 5, 5)


async def test_intents_are_counted_by_conversation_the_most_frequent_first(store: Store) -> None:
    for number, intent in enumerate(("billing", "account", "account")):
        await moved(database_of(store), await sent(store, f"thread {number}", intent), NOON)
    await moved(database_of(store), await begun(store, "not triaged yet"), NOON)
    assert list((await report(store)).intents.items()) == [("account", 2), ("billing", 1)]


async def test_votes_and_labels_are_counted_by_source(store: Store, agent: Member) -> None:
    works = [await sent(store, f"thread {n}") for n in range(3)]
    for work, vote in zip(works, ("up", "down", "down"), strict=True):
        outgoing = await store.conversations.outbox.next(work.conversation_id)
        assert outgoing
        await store.conversations.feedback.vote("demo", work.conversation_id, outgoing.message.id, vote)  # type: ignore[arg-type]  # a literal
    await decided(store, agent, "approved", DecisionKind.APPROVE)
    await decided(store, agent, "edited", DecisionKind.EDIT)
    counted = await report(store, span=(now() - timedelta(hours=1), now() + timedelta(hours=1)))
    assert counted.votes == VoteCounts(up=1, down=2)
    assert counted.labels[LabelSource.VOTE] == LabelCounts(right=1, wrong=2)
    assert counted.labels[LabelSource.DECISION] == LabelCounts(right=1, wrong=1)
    assert counted.labels[LabelSource.AUDIT] == LabelCounts(right=0, wrong=0)
    assert counted.automatic == LabelCounts(right=1, wrong=2)
    assert counted.automatic.error == pytest.approx(2 / 3)


async def test_an_audit_counts_more_than_a_vote(store: Store) -> None:
    work = await sent(store, "thread")
    outgoing = await store.conversations.outbox.next(work.conversation_id)
    assert outgoing
    await store.conversations.feedback.vote("demo", work.conversation_id, outgoing.message.id, "down")
    async with database_of(store).write() as connection:
        query = select(messages.c.draft_id).where(messages.c.id == outgoing.message.id)
        draft_id = (await connection.execute(query)).scalar_one()
        await labels.put(connection, "demo", draft_id, LabelSource.AUDIT, correct=True)
    counted = await report(store, span=(now() - timedelta(hours=1), now() + timedelta(hours=1)))
    assert counted.automatic == LabelCounts(right=1, wrong=0)


async def test_nothing_of_another_workspace_is_counted(store: Store, agent: Member) -> None:
    await store.accounts.workspaces.create("other", "Other")
    await moved(database_of(store), await sent(store, "theirs", workspace="other"), NOON)
    await moved(database_of(store), await sent(store, "ours"), NOON)
    await moved(database_of(store), await decided(store, agent, "approved", DecisionKind.APPROVE), NOON)
    ours, theirs = await report(store), await report(store, "other")
    assert (ours.conversations, theirs.conversations) == (2, 1)
    assert (ours.turns[Outcome.SENT], theirs.turns[Outcome.SENT]) == (1, 1)
    assert (ours.decisions[DecisionKind.APPROVE], theirs.decisions[DecisionKind.APPROVE]) == (1, 0)
    assert (ours.first_reply.count, theirs.first_reply.count) == (2, 1)
    assert (ours.review_wait.count, theirs.review_wait.count) == (1, 0)


@pytest.mark.parametrize(
    "span",
    [
        (MONDAY, MONDAY),
        (NOON, MONDAY),
        (MONDAY, MONDAY + timedelta(days=367)),
        (MONDAY.replace(tzinfo=None), NOON),
    ],
)
async def test_a_span_that_cannot_be_reported_on_is_invalid(store: Store, span: tuple[datetime, datetime]) -> None:
    with pytest.raises(InvalidError):
        await report(store, span=span)
