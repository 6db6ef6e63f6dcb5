"""What Prometheus and the monitoring pages are told, on SQLite and PostgreSQL."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Table, update

from storage.clock import now
from storage.database.engine import Database
from storage.database.tables import deliveries, reviews, turns
from storage.records import (
    Decision,
    DecisionKind,
    DeliveryStatus,
    DocumentStatus,
    Draft,
    Incoming,
    Member,
    Outcome,
    Triage,
    TurnStatus,
    new_id,
)
from storage.store import Store
from storage.telemetry.health import Health
from storage.telemetry.metrics import Metrics
from storage.turns.begin import TurnWork
from storage.turns.result import CommitResult, TurnResult
from tests.support.rows import database_of

DRAFT = Draft(text="Click.", can_answer=True, confidence=0.9, model="verbatim", prompt_version="v1")
EARLIER = timedelta(minutes=10)


async def begun(store: Store, thread: str, workspace: str = "demo") -> TurnWork:
    incoming = Incoming(
        workspace_id=workspace,
        channel="slack",
        external_id=new_id(),
        thread=thread,
        customer_external_id=thread,
        text="How?",
    )
    accepted = await store.conversations.intake.accept(incoming)
    assert accepted.turn_id
    work = await store.conversations.turns.begin(accepted.turn_id)
    assert isinstance(work, TurnWork)
    return work


def proposal(work: TurnWork) -> TurnResult:
    return work.result(DRAFT, Triage(intent="account"), held_because=("Every reply is reviewed here.",))


async def sent(store: Store, thread: str, workspace: str = "demo") -> TurnWork:
    work = await begun(store, thread, workspace)
    assert await store.conversations.completion.send(proposal(work)) is CommitResult.COMMITTED
    return work


async def held(store: Store, thread: str) -> tuple[TurnWork, str]:
    work = await begun(store, thread)
    assert await store.conversations.completion.hold(proposal(work)) is CommitResult.COMMITTED
    review = await store.conversations.reviews.of_conversation("demo", work.conversation_id)
    assert review
    return work, review.id


async def delivered(store: Store, work: TurnWork) -> None:
    outgoing = await store.conversations.outbox.next(work.conversation_id)
    assert outgoing
    await store.conversations.outbox.sent(outgoing, None)


class Scraper:
    """A registry whose measures began to look a while ago."""

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        self.measures = Metrics(self.registry, database)
        self.measures._counted_until -= EARLIER

    async def value(self, name: str, **labels: str) -> float | None:
        await self.measures.scrape()
        return self.registry.get_sample_value(name, labels)


async def aged(database: Database, table: Table, age: timedelta) -> None:
    async with database.write() as connection:
        values = {column: now() - age for column in ("created_at", "finished_at") if column in table.c}
        await connection.execute(update(table).values(values))


async def test_ended_turns_are_counted_once_by_outcome(store: Store) -> None:
    for number in range(3):
        await sent(store, f"thread {number}")
    await aged(database_of(store), turns, timedelta(minutes=1))
    scraper = Scraper(database_of(store))
    assert await scraper.value("deskhand_turns_total", outcome="sent") == 3
    assert await scraper.value("deskhand_turns_total", outcome="sent") == 3
    assert await scraper.value("deskhand_turn_seconds_count", outcome="sent") == 3
    assert await scraper.value("deskhand_turns_total", outcome="handoff") is None


async def test_a_turn_that_just_ended_is_counted_when_it_has_settled(store: Store) -> None:
    await sent(store, "thread")
    scraper = Scraper(database_of(store))
    assert await scraper.value("deskhand_turns_total", outcome="sent") is None
    await aged(database_of(store), turns, timedelta(seconds=1))
    scraper.measures._counted_until -= timedelta(seconds=5)
    assert await scraper.value("deskhand_turns_total", outcome="sent") is None
    await aged(database_of(store), turns, timedelta(seconds=3))
    scraper.measures._counted_until -= timedelta(seconds=5)
    assert await scraper.value("deskhand_turns_total", outcome="sent") == 1


async def test_turns_that_ended_before_this_start_are_not_counted(store: Store) -> None:
    await sent(store, "thread")
    await aged(database_of(store), turns, 2 * EARLIER)
    assert await Scraper(database_of(store)).value("deskhand_turns_total", outcome="sent") is None


async def test_waiting_reviews_are_counted_with_the_age_of_the_oldest(store: Store) -> None:
    scraper = Scraper(database_of(store))
    assert await scraper.value("deskhand_reviews_waiting") == 0
    assert await scraper.value("deskhand_review_oldest_seconds") == 0
    for number in range(2):
        await held(store, f"thread {number}")
    await aged(database_of(store), reviews, timedelta(hours=1))
    assert await scraper.value("deskhand_reviews_waiting") == 2
    assert await scraper.value("deskhand_review_oldest_seconds") == pytest.approx(3600, abs=60)


async def test_the_queue_is_what_the_rows_ask_for(store: Store, agent: Member) -> None:
    await begun(store, "queued")
    _, review_id = await held(store, "decided")
    decision = Decision(kind=DecisionKind.DISMISS, member_id=agent.id, member_name=agent.name)
    await store.conversations.reviews.decide(agent, review_id, decision, based_on=1)
    await store.knowledge.catalogue.create("demo", "faq.csv", b"question,answer\na?,b\n")
    scraper = Scraper(database_of(store))
    depths = {kind: await scraper.value("deskhand_queue_depth", kind=kind) for kind in ("answer", "resume", "load")}
    assert depths == {"answer": 1, "resume": 1, "load": 1}
    # The customer of the second conversation was told that a person will answer.
    assert await scraper.value("deskhand_queue_depth", kind="deliver") == 1


async def test_deliveries_are_counted_by_channel_and_how_they_ended(store: Store) -> None:
    await delivered(store, await sent(store, "one"))
    failed = await store.conversations.outbox.next((await sent(store, "two")).conversation_id)
    assert failed
    await store.conversations.outbox.fail(failed, "gone")
    await aged(database_of(store), deliveries, timedelta(minutes=1))
    scraper = Scraper(database_of(store))
    for status in ("sent", "failed"):
        assert await scraper.value("deskhand_deliveries_total", channel="slack", status=status) == 1


async def test_the_dashboard_shows_what_waits_in_this_workspace(store: Store) -> None:
    await store.accounts.workspaces.create("other", "Other")
    await begun(store, "queued")
    await held(store, "held")
    await delivered(store, await sent(store, "sent"))
    await store.knowledge.catalogue.create("demo", "faq.csv", b"question,answer\na?,b\n")
    await begun(store, "theirs", "other")
    seen = await store.reporting.monitoring.dashboard("demo")
    assert (seen.queue.count, seen.reviews.count, seen.customers.count) == (1, 1, 2)
    assert seen.queue.oldest_seconds is not None
    assert 0 <= seen.queue.oldest_seconds < 60
    assert seen.deliveries["slack"][DeliveryStatus.SENT] == 1
    assert seen.deliveries["slack"][DeliveryStatus.PENDING] == 1
    assert seen.documents == {DocumentStatus.LOADING: 1, DocumentStatus.READY: 0, DocumentStatus.FAILED: 0}


async def test_where_nothing_waits_nothing_is_old(store: Store) -> None:
    seen = await store.reporting.monitoring.dashboard("demo")
    assert (seen.queue.oldest_seconds, seen.reviews.oldest_seconds, seen.customers.oldest_seconds) == (None, None, None)
    assert seen.deliveries == {}


async def test_a_summary_tells_a_turn_in_figures(store: Store, agent: Member) -> None:
    work, review_id = await held(store, "thread")
    decision = Decision(kind=DecisionKind.APPROVE, member_id=agent.id, member_name=agent.name)
    await store.conversations.reviews.decide(agent, review_id, decision, based_on=1)
    await store.conversations.completion.send(proposal(work), decision=decision)
    (summary,) = (await store.reporting.monitoring.summaries("demo")).items
    assert (summary.turn_id, summary.conversation_id) == (work.turn_id, work.conversation_id)
    assert (summary.status, summary.outcome, summary.decision) == (
        TurnStatus.DONE,
        Outcome.REVIEWED,
        DecisionKind.APPROVE,
    )
    assert (summary.version, summary.confidence, summary.intent, summary.priority) == (1, 0.9, "account", "medium")
    assert (summary.model, summary.prompt_version) == ("verbatim", "v1")
    assert summary.seconds >= 0


async def test_summaries_come_in_pages_the_latest_end_first(store: Store) -> None:
    works = [await sent(store, f"thread {number}") for number in range(3)]
    await begun(store, "not ended")
    monitoring = store.reporting.monitoring
    first = await monitoring.summaries("demo", limit=2)
    second = await monitoring.summaries("demo", limit=2, cursor=first.next)
    assert [item.turn_id for item in first.items + second.items] == [work.turn_id for work in works[::-1]]
    assert second.next is None


async def test_an_overtaken_turn_is_summed_up_without_an_outcome(store: Store) -> None:
    work, _ = await held(store, "thread")
    await begun(store, "thread")
    (summary,) = (await store.reporting.monitoring.summaries("demo")).items
    assert (summary.turn_id, summary.status, summary.outcome) == (work.turn_id, TurnStatus.SUPERSEDED, None)


async def test_a_trace_tells_the_way_of_a_turn(store: Store, agent: Member) -> None:
    await sent(store, "before")
    work, review_id = await held(store, "thread")
    decision = Decision(kind=DecisionKind.DISMISS, member_id=agent.id, member_name=agent.name)
    await store.conversations.reviews.decide(agent, review_id, decision, based_on=1)
    await store.conversations.completion.dismiss(proposal(work), decision)
    latest, earlier = await store.reporting.monitoring.traces("demo")
    assert (latest.turn_id, latest.outcome, latest.attempts) == (work.turn_id, Outcome.DISMISSED, 0)
    assert latest.reasons == ("Every reply is reviewed here.",)
    assert [step.kind for step in latest.steps] == [
        "message.accepted",
        "review.opened",
        "review.dismiss",
        "turn.dismissed",
    ]
    assert earlier.reasons == ()
    assert [trace.turn_id for trace in await store.reporting.monitoring.traces("demo", limit=1)] == [work.turn_id]


async def test_what_answers_is_ready(store: Store) -> None:
    assert await Health(database_of(store), store.knowledge.index.check).parts() == {"database": True, "vectors": True}


async def test_a_database_that_does_not_answer_is_not_ready(store: Store) -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    assert await Health(nowhere, store.knowledge.index.check).parts() == {"database": False, "vectors": True}
    await nowhere.close()
