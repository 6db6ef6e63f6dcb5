"""A run leaves one line in the log and its steps in the trace, by ids, kinds and numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from graph.state import State
from graph.turn_telemetry import TurnTelemetry
from storage import clock
from storage.queue.jobs import JobKind
from storage.records import Decision, DecisionKind, Draft, Review, ReviewStatus, Triage, WorkspaceSettings
from storage.telemetry.tracing import RootIdGenerator, Tracing
from storage.turns.begin import TurnWork, UnfinishedTurn
from storage.turns.result import CommitResult

NOON = datetime.fromisoformat("2026-05-04T12:00:00+00:00")
SECRET = "my password is hunter2"
WORK = TurnWork(
    turn_id="t",
    workspace_id="w",
    conversation_id="c",
    channel="slack",
    created_at=NOON,
    due_at=NOON + timedelta(seconds=2),
    restarts=0,
    settings=WorkspaceSettings(),
    upto_seq=1,
    question=SECRET,
    history=(),
    summary=SECRET,
    bot_turns=0,
    is_assigned=False,
    obsolete_checkpoints=(),
)
REVIEW = Review(
    id="r",
    workspace_id="w",
    conversation_id="c",
    turn_id="t",
    version=2,
    status=ReviewStatus.DECIDED,
    draft=Draft(text=SECRET),
    held_because=(SECRET,),
    question=SECRET,
    triage=Triage(),
    created_at=NOON,
    decision=Decision(kind=DecisionKind.EDIT, text=SECRET),
    decided_at=NOON + timedelta(seconds=30),
)
SENT: State = {"ending": "send"}
Lines = Sequence[Mapping[str, Any]]


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telemetry(spans: InMemorySpanExporter) -> TurnTelemetry:
    provider = TracerProvider(id_generator=RootIdGenerator())
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return TurnTelemetry(Tracing(provider))


@pytest.fixture
def lines() -> Iterator[Lines]:
    with clock.frozen(NOON + timedelta(seconds=60)), capture_logs() as kept:
        yield kept


def seconds_of(span: ReadableSpan) -> float:
    return ((span.end_time or 0) - (span.start_time or 0)) / 1e9


def named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def attribute(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(f"deskhand.{name}")


@pytest.mark.parametrize(
    ("committed", "ending", "outcome"),
    [
        (CommitResult.COMMITTED, "send", "sent"),
        (CommitResult.CONTINUED, "send", "sent"),
        (CommitResult.COMMITTED, "handoff", "handoff"),
        (CommitResult.COMMITTED, "dismiss", "dismissed"),
        (CommitResult.COMMITTED, None, "held"),
        (CommitResult.RESTART, "send", "restart"),
        (CommitResult.DROPPED, "send", "dropped"),
        (CommitResult.SUPERSEDED_BY_WORKER, "send", "superseded_by_worker"),
    ],
)
def test_the_outcome_is_what_the_rows_made_of_the_run(
    telemetry: TurnTelemetry,
    lines: Lines,
    committed: CommitResult,
    ending: Literal["send", "handoff", "dismiss"] | None,
    outcome: str,
) -> None:
    state: State = {"ending": ending} if ending else {}
    telemetry.answered(WORK, committed, state)
    (line,) = lines
    assert (line["event"], line["outcome"], line["channel"], line["seconds"]) == ("turn answered", outcome, "slack", 60)


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("committed", CommitResult)
def test_a_turn_is_told_as_a_whole_by_the_run_that_ends_it(
    telemetry: TurnTelemetry, spans: InMemorySpanExporter, committed: CommitResult
) -> None:
    telemetry.answered(WORK, committed, SENT)
    goes_on = committed in (CommitResult.RESTART, CommitResult.SUPERSEDED_BY_WORKER)
    assert ("turn" in named(spans)) is not goes_on
    assert all(seconds_of(span) == 60 for span in spans.get_finished_spans())


@pytest.mark.usefixtures("lines")
def test_a_first_run_tells_how_long_was_gathered_and_queued(
    telemetry: TurnTelemetry, spans: InMemorySpanExporter
) -> None:
    with telemetry.answering(WORK):
        pass
    steps = named(spans)
    assert steps.keys() == {"gather", "queue", "answer"}
    assert (seconds_of(steps["gather"]), seconds_of(steps["queue"])) == (2, 58)
    assert {attribute(span, "channel") for span in steps.values()} == {"slack"}
    assert {attribute(span, "turn") for span in steps.values()} == {"t"}


@pytest.mark.usefixtures("lines")
def test_a_run_over_newer_words_does_not_tell_the_wait_again(
    telemetry: TurnTelemetry, spans: InMemorySpanExporter
) -> None:
    with telemetry.answering(replace(WORK, restarts=1)):
        pass
    assert named(spans).keys() == {"answer"}


def test_a_decision_tells_how_long_the_person_took_and_how_long_it_was_queued(
    telemetry: TurnTelemetry, spans: InMemorySpanExporter, lines: Lines
) -> None:
    with telemetry.resuming(REVIEW):
        telemetry.resumed(REVIEW, CommitResult.COMMITTED, SENT)
    steps = named(spans)
    assert (seconds_of(steps["review"]), seconds_of(steps["queue"])) == (30, 30)
    assert (attribute(steps["review"], "decision"), attribute(steps["resume"], "version")) == ("edit", 2)
    assert attribute(steps["resume"], "outcome") == "sent"
    (line,) = lines
    assert (line["event"], line["decision"], line["version"]) == ("decision took effect", "edit", 2)


def test_only_a_given_up_answer_ends_the_turn_s_trace(
    telemetry: TurnTelemetry, spans: InMemorySpanExporter, lines: Lines
) -> None:
    turn = UnfinishedTurn("t", "w", "c", NOON, SECRET)
    telemetry.given_up(turn, JobKind.RESUME)
    assert not spans.get_finished_spans()
    telemetry.given_up(turn, JobKind.ANSWER)
    assert attribute(named(spans)["turn"], "outcome") == "given up"
    assert [line["log_level"] for line in lines] == ["error", "error"]


def test_nothing_that_anybody_wrote_is_told(
    telemetry: TurnTelemetry, spans: InMemorySpanExporter, lines: Lines
) -> None:
    with telemetry.answering(WORK):
        telemetry.answered(WORK, CommitResult.COMMITTED, SENT)
    with telemetry.resuming(REVIEW):
        telemetry.resumed(REVIEW, CommitResult.COMMITTED, SENT)
    telemetry.given_up(UnfinishedTurn("t", "w", "c", NOON, SECRET), JobKind.ANSWER)
    told = str(lines) + "".join(span.to_json() for span in spans.get_finished_spans())
    assert "hunter2" not in told
