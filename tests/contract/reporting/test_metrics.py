"""What `/metrics` says of the rows, and that asking for it stays cheap, on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Select, text, update

from storage.clock import now
from storage.database.engine import Database
from storage.database.tables import (
    deliveries,
    documents,
    reviews,
    turns,
)
from storage.records import Decision, DecisionKind, Draft, Incoming, Member, Triage, new_id
from storage.store import Store
from storage.telemetry import metric_queries
from storage.telemetry.metrics import Metrics
from storage.turns.begin import LEFT_CHECKPOINTS, TurnWork
from storage.turns.result import TurnResult

FAQ = b"question,answer\nHow?,Like this.\nWhen?,Now.\n"
HOUR = 3600.0


class Scraped:
    """The samples of one scrape."""

    def __init__(self, body: bytes) -> None:
        families = text_string_to_metric_families(body.decode())
        self._samples = [sample for family in families for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float:
        """The one sample of this name with these labels; 0 if there is none."""
        found = [sample.value for sample in self._samples if sample.name == name and sample.labels == labels]
        assert len(found) <= 1
        return found[0] if found else 0.0


@pytest.fixture
def measures(database: Database) -> Metrics:
    return Metrics(CollectorRegistry(), database)


async def accepted(store: Store, text: str = "How?") -> TurnWork:
    """A turn that is due."""
    incoming = Incoming("demo", "slack", new_id(), new_id(), "cleo", text)
    taken = await store.conversations.intake.accept(incoming)
    assert taken.turn_id
    work = await store.conversations.turns.begin(taken.turn_id)
    assert isinstance(work, TurnWork)
    return work


def proposal(work: TurnWork) -> TurnResult:
    return work.result(Draft(text="Like this.", can_answer=True), Triage())


async def set_back(database: Database, table: Any, *columns: str, hours: float = 1) -> None:
    """Let everything in the table have happened earlier."""
    async with database.write() as connection:
        earlier = now() - timedelta(hours=hours)
        await connection.execute(update(table).values(dict.fromkeys(columns, earlier)))


async def test_each_kind_of_job_tells_how_many_wait_and_since_when(
    store: Store, database: Database, measures: Metrics, agent: Member
) -> None:
    await accepted(store)
    decided, sent = await accepted(store), await accepted(store)
    await store.conversations.completion.hold(proposal(decided))
    review = await store.conversations.reviews.of_conversation("demo", decided.conversation_id)
    assert review
    await store.conversations.reviews.decide(
        agent, review.id, Decision(kind=DecisionKind.APPROVE, member_id=agent.id), based_on=1
    )
    await store.conversations.completion.send(proposal(sent))
    await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    await set_back(database, turns, "due_at", hours=1)
    await set_back(database, reviews, "closed_at", hours=2)
    await set_back(database, deliveries, "created_at", hours=3)
    await set_back(database, documents, "created_at", hours=4)
    scraped = Scraped(await measures.scrape())
    for hours, kind in enumerate(("answer", "resume", "deliver", "load"), start=1):
        # The held turn told its customer so: that is a second message on its way out.
        assert scraped("deskhand_queue_depth", kind=kind) == (2 if kind == "deliver" else 1), kind
        assert scraped("deskhand_queue_oldest_seconds", kind=kind) == pytest.approx(hours * HOUR, abs=120), kind


async def test_a_job_that_is_not_due_yet_has_no_age(store: Store, measures: Metrics) -> None:
    await store.conversations.intake.accept(Incoming("demo", "web", new_id(), new_id(), "cleo", "How?"), 600)
    scraped = Scraped(await measures.scrape())
    assert scraped("deskhand_queue_depth", kind="answer") == 1
    assert scraped("deskhand_queue_oldest_seconds", kind="answer") == 0


async def test_what_has_ended_is_counted_once(store: Store, database: Database, measures: Metrics) -> None:
    measures._counted_until -= timedelta(hours=1)
    for work in [await accepted(store), await accepted(store)]:
        await store.conversations.completion.send(proposal(work))
        outgoing = await store.conversations.outbox.next(work.conversation_id)
        assert outgoing
        await store.conversations.outbox.sent(outgoing, None)
    await set_back(database, deliveries, "created_at", hours=0.01)
    await set_back(database, deliveries, "finished_at", hours=0.002)
    await set_back(database, turns, "finished_at", hours=0.002)
    for _ in range(2):
        scraped = Scraped(await measures.scrape())
        assert scraped("deskhand_turns_total", outcome="sent") == 2
        assert scraped("deskhand_turn_seconds_count", outcome="sent") == 2
        assert scraped("deskhand_deliveries_total", channel="slack", status="sent") == 2
        assert scraped("deskhand_delivery_seconds_count", channel="slack") == 2
    assert scraped("deskhand_delivery_seconds_sum", channel="slack") == pytest.approx(2 * 0.008 * HOUR, abs=1)


async def test_the_knowledge_is_counted_by_status(store: Store, measures: Metrics) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    await store.knowledge.catalogue.load_document(document.id)
    await store.knowledge.catalogue.create("demo", "more.csv", FAQ)
    scraped = Scraped(await measures.scrape())
    assert scraped("deskhand_documents", status="ready") == 1
    assert scraped("deskhand_documents", status="loading") == 1
    assert scraped("deskhand_documents", status="failed") == 0
    assert scraped("deskhand_knowledge_entries") == 2


async def test_the_build_and_the_process_are_told(measures: Metrics) -> None:
    body = (await measures.scrape()).decode()
    assert 'deskhand_build_info{python="3.' in body
    assert "process_resident_memory_bytes" in body


QUERIES: dict[str, Select[*tuple[Any, ...]]] = {
    "reviews": metric_queries.WAITING_REVIEWS,
    "knowledge": metric_queries.KNOWLEDGE,
    "turns": metric_queries.ENDED_TURNS,
    "deliveries": metric_queries.ENDED_DELIVERIES,
    "left checkpoints, every minute": LEFT_CHECKPOINTS,
    **metric_queries.QUEUES,
}


@pytest.mark.parametrize("name", QUERIES)
async def test_no_question_of_a_scrape_reads_a_whole_table(database: Database, name: str) -> None:
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    dialect = database._engine.dialect
    span = {"since": now(), "until": now()} if name in ("turns", "deliveries") else {}
    statement = QUERIES[name].params(span).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    async with database.write() as connection:
        if not database.is_sqlite:
            # The tables are empty: only then does the planner say whether an index would serve.
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(str(row) for row in (await connection.execute(text(f"{explain} {statement}"))).all())
    whole = [
        line
        for line in plan.splitlines()
        if ("Seq Scan" in line or ("SCAN" in line and "USING" not in line))
        and not any(small in line for small in ("workspaces", "anon_1", "CONSTANT"))
    ]
    assert not whole, plan
