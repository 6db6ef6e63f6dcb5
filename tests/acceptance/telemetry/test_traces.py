"""One trace per turn, from the message to its delivery, whichever processes work on it, and no text in it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.web.channel import WebChannel
from commands.process.composition import Process, assemble
from commands.process.job_handlers import handlers_of
from graph.checkpoints.opening import open_checkpoints
from graph.llm.opening import open_chat_model
from graph.state import Deps
from graph.triage.classifier import Classifier
from storage.embeddings.protocol import Embedder
from storage.knowledge.search import Knowledge
from storage.records import ChannelName, Decision, DecisionKind, Hit, Incoming, Mode, Role, new_id
from storage.telemetry.exporters import open_tracing
from storage.telemetry.tracing import TracedTurn, Tracing
from tests.simulators.openai.server import OpenAISimulator
from tests.simulators.otlp_collector import Collector, Kept, collecting
from tests.support.faq import FAQ
from tests.support.passwords import PASSWORD
from tests.support.settings import settings_for
from tests.support.store import open_test_store
from tests.support.whole_desk import open_desk
from tests.support.workers import DiscordReviewCards

pytest_plugins = ["tests.support.rest_fixtures"]

MARK = "zebrafish"
KNOWN = f"How do I reset my password? My {MARK} needs it."
WAY = ["accept", "gather", "queue", "answer", "guard", "triage", "retrieve", "draft", "check", "commit", "turn"]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Where the standard variables point to."""
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.grpc_url)
        yield collector


@asynccontextmanager
async def two_processes(
    folder: Path, embedder: Embedder, classifier: Classifier, model_url: str = "", knowledge: Knowledge | None = None
) -> AsyncIterator[tuple[Process, Process]]:
    """One that accepts, and one that works; they share nothing but the rows. Their traces are sent at the end."""
    model = {"provider": "openai", "base_url": model_url} if model_url else {}
    settings = settings_for(folder, model=model, jobs={"max_attempts": 2})
    async with (
        open_test_store(settings, embedder) as store,
        open_checkpoints(settings) as checkpoints,
        open_chat_model(settings) as chat,
    ):
        document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
        await store.knowledge.catalogue.load_document(document.id)
        deps = Deps(settings, knowledge or store.knowledge.index, classifier, chat)
        channels = {"web": WebChannel(store.cluster.events), "slack": DiscordReviewCards()}
        front, back = Tracing(), Tracing()
        try:
            front, back = open_tracing(), open_tracing()
            web = assemble(settings, store, checkpoints, deps, channels, tracing=front)  # type: ignore[arg-type]  # one channel of three
            worker = assemble(settings, store, checkpoints, deps, channels, tracing=back)  # type: ignore[arg-type]
            yield web, worker
            await worker.jobs.stop()
        finally:
            front.close()
            back.close()


async def accept(web: Process, text: str = KNOWN, channel: ChannelName = "slack") -> str:
    """A customer writes; gives the turn's id."""
    accepted = await web.intake.accept(Incoming("demo", channel, new_id(), new_id(), "cleo", text))
    assert accepted.turn_id
    return accepted.turn_id


async def work(worker: Process) -> None:
    """Do what the rows ask for."""
    worker.jobs.start(handlers_of(worker.runner, worker.desk, worker.delivery))
    await worker.jobs.idle()


def only(spans: list[Kept], name: str) -> Kept:
    (found,) = [span for span in spans if span.name == name]
    return found


async def test_the_way_of_a_turn_is_one_trace_across_processes(
    tmp_path: Path, embedder: Embedder, classifier: Classifier, collector: Collector
) -> None:
    async with two_processes(tmp_path, embedder, classifier) as (web, worker):
        turn_id = await accept(web)
        await work(worker)
    spans = collector.spans
    assert sorted(span.name for span in spans) == sorted([*WAY, "send", "deliver"])
    assert len({span.trace_id for span in spans}) == 1
    first, answer = only(spans, "turn"), only(spans, "answer")
    assert first.parent_id == ""
    for below, names in (
        (first, {"accept", "gather", "queue", "answer", "deliver"}),
        (answer, {"guard", "triage", "retrieve", "draft", "check", "send", "commit"}),
    ):
        assert {span.name for span in spans if span.parent_id == below.span_id} == names
    assert first.attributes["deskhand.turn"] == turn_id
    assert (first.attributes["deskhand.outcome"], first.attributes["deskhand.channel"]) == ("sent", "slack")
    assert {"deskhand.workspace", "deskhand.conversation"} <= first.attributes.keys()
    assert only(spans, "retrieve").attributes["deskhand.node"] == "retrieve"
    assert only(spans, "deliver").attributes["deskhand.outcome"] == "sent"
    assert first.resource["service.name"] == "deskhand"
    assert first.begun <= answer.begun <= first.ended <= only(spans, "deliver").ended
    assert MARK.encode() not in collector.raw


async def test_on_the_web_the_commit_delivers(
    tmp_path: Path, embedder: Embedder, classifier: Classifier, collector: Collector
) -> None:
    async with two_processes(tmp_path, embedder, classifier) as (web, worker):
        await accept(web, channel="web")
        await work(worker)
    assert sorted(span.name for span in collector.spans) == sorted([*WAY, "send"])


async def test_two_turns_are_two_traces(
    tmp_path: Path, embedder: Embedder, classifier: Classifier, collector: Collector
) -> None:
    async with two_processes(tmp_path, embedder, classifier) as (web, worker):
        await accept(web)
        await accept(web)
        await work(worker)
    assert len({span.trace_id for span in collector.spans}) == 2


async def test_a_decision_goes_on_in_the_trace_of_its_turn(
    tmp_path: Path, embedder: Embedder, classifier: Classifier, collector: Collector
) -> None:
    async with two_processes(tmp_path, embedder, classifier) as (web, worker):
        store = worker.store
        agent = await store.accounts.members.add("demo", "agent@demo.example", "Alex", Role.ADMIN, PASSWORD)
        await store.accounts.workspaces.change_settings(agent, mode=Mode.DRAFT)
        await accept(web)
        await work(worker)
        (review,) = (await store.conversations.reviews.page("demo")).items
        decision = Decision(kind=DecisionKind.EDIT, text=f"The {MARK} is well.")
        await worker.desk.decide(agent, review.id, decision, based_on=review.version)
        await worker.jobs.idle()
    spans = collector.spans
    assert len({span.trace_id for span in spans}) == 1
    assert only(spans, "turn").attributes["deskhand.outcome"] == "held"
    resume = only(spans, "resume")
    assert (resume.attributes["deskhand.decision"], resume.attributes["deskhand.outcome"]) == ("edit", "sent")
    assert only(spans, "review").parent_id == only(spans, "turn").span_id == resume.parent_id
    assert only(spans, "deliver").begun >= resume.begun
    assert MARK.encode() not in collector.raw


async def test_questions_to_the_chat_model_are_steps_with_their_tokens(
    tmp_path: Path, embedder: Embedder, classifier: Classifier, collector: Collector
) -> None:
    with OpenAISimulator() as endpoint:
        async with two_processes(tmp_path, embedder, classifier, endpoint.base_url) as (web, worker):
            await accept(web)
            await work(worker)
    spans = collector.spans
    asks = [span for span in spans if span.name == "ask"]
    assert {only(spans, "triage").span_id, only(spans, "draft").span_id} == {ask.parent_id for ask in asks}
    calls = [span for span in spans if span.name == "chat completion"]
    assert {call.parent_id for call in calls} == {ask.span_id for ask in asks}
    assert all(int(call.attributes["deskhand.input_tokens"]) > 0 for call in calls if not call.failed)
    assert MARK.encode() not in collector.raw


class TalkativeKnowledge(Knowledge):
    """Fails with the customer's words."""

    def __init__(self) -> None:
        """Nothing is kept here."""

    async def search(self, workspace_id: str, query: str, *_: object, **__: object) -> tuple[Hit, ...]:
        raise RuntimeError(f"{workspace_id}: {query} {MARK}")


async def test_a_step_that_fails_is_marked_by_its_kind_alone(
    tmp_path: Path, embedder: Embedder, classifier: Classifier, collector: Collector
) -> None:
    knowledge = TalkativeKnowledge()
    async with two_processes(tmp_path, embedder, classifier, knowledge=knowledge) as (web, worker):
        await accept(web)
        await work(worker)
    spans = collector.spans
    failed = [span for span in spans if span.name == "retrieve"]
    assert [(span.failed, span.attributes["error.type"]) for span in failed] == [(True, "RuntimeError")] * 2
    assert only(spans, "turn").attributes["deskhand.outcome"] == "given up"
    assert MARK.encode() not in collector.raw


async def test_a_trace_is_taken_whole_or_not_at_all(
    tmp_path: Path,
    embedder: Embedder,
    classifier: Classifier,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    async with two_processes(tmp_path, embedder, classifier) as (web, worker):
        for _ in range(16):
            await accept(web)
        await work(worker)
    spans = collector.spans
    whole = {span.trace_id for span in spans if span.name == "turn"}
    assert {span.trace_id for span in spans} == whole
    # By chance all or none: once in 32,768 times.
    assert 0 < len(whole) < 16
    assert sum(span.name == "deliver" for span in spans) == len(whole)


async def test_a_whole_process_traces_and_sends_the_last_spans_when_it_stops(
    tmp_path: Path, collector: Collector
) -> None:
    async with open_desk(settings_for(tmp_path)) as process:
        await process.store.accounts.workspaces.create("demo", "Demo")
        await accept(process, channel="web")
        await process.jobs.idle()
    # It knows nothing yet: the draft is held.
    assert only(collector.spans, "turn").attributes["deskhand.outcome"] == "held"


async def test_traces_go_over_http_as_well(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.http_url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "desk of ours")
    tracing = open_tracing()
    with tracing.step(_turn(), "answer"):
        pass
    tracing.close()
    assert only(collector.spans, "answer").resource["service.name"] == "desk of ours"


def _turn() -> TracedTurn:
    return TracedTurn("t" * 32, "c" * 32, "demo")
