"""Telemetry of turns: the log lines and the trace of each run."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from graph.state import State
from storage.clock import now
from storage.queue.jobs import JobKind
from storage.records import Review
from storage.telemetry.log_context import log_fields
from storage.telemetry.tracing import TracedTurn, Tracing, annotate_span
from storage.turns.begin import TurnWork, UnfinishedTurn
from storage.turns.result import CommitResult

log = structlog.get_logger(__name__)

OUTCOMES = {"send": "sent", "handoff": "handoff", "dismiss": "dismissed", None: "held"}
"""By the state's ending: what a committed run came to."""
CONTINUED_ELSEWHERE = (CommitResult.RESTART, CommitResult.SUPERSEDED_BY_WORKER)
"""Another run ends the turn."""


class TurnTelemetry:
    """Tells of the turns that one process works on, by ids, kinds and numbers, never by text."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    @contextmanager
    def answering(self, work: TurnWork) -> Iterator[None]:
        """A run from the beginning."""
        turn = _turn_of(work)
        with log_fields(turn=turn.turn_id, conversation=turn.conversation_id, workspace=turn.workspace_id):
            if not work.restarts:
                self._tracing.record_step(turn, "gather", work.created_at, work.due_at, channel=work.channel)
                self._tracing.record_step(turn, "queue", work.due_at, now(), channel=work.channel)
            with self._tracing.step(turn, "answer", channel=work.channel):
                yield

    def answered(self, work: TurnWork, committed: CommitResult, state: State) -> None:
        """The run has met the rows."""
        ended = now()
        outcome = _outcome(committed, state)
        annotate_span(outcome=outcome)
        if committed not in CONTINUED_ELSEWHERE:
            self._tracing.record_turn(_turn_of(work), work.created_at, ended, channel=work.channel, outcome=outcome)
        seconds = round((ended - work.created_at).total_seconds(), 3)
        log.info("turn answered", outcome=outcome, channel=work.channel, seconds=seconds)

    @contextmanager
    def resuming(self, review: Review) -> Iterator[None]:
        """A run from the interrupt, after a person's decision."""
        turn = TracedTurn(review.turn_id, review.conversation_id, review.workspace_id)
        decided_at = review.decided_at or now()
        kind = review.decision.kind if review.decision else None
        with log_fields(turn=turn.turn_id, conversation=turn.conversation_id, workspace=turn.workspace_id):
            self._tracing.record_step(turn, "review", review.created_at, decided_at, decision=kind)
            self._tracing.record_step(turn, "queue", decided_at, now())
            with self._tracing.step(turn, "resume", decision=kind, version=review.version):
                yield

    def resumed(self, review: Review, committed: CommitResult, state: State) -> None:
        """The decision has met the rows."""
        outcome = _outcome(committed, state)
        annotate_span(outcome=outcome)
        kind = review.decision.kind if review.decision else None
        log.info("decision took effect", outcome=outcome, decision=kind, version=review.version)

    def given_up(self, turn: UnfinishedTurn, kind: JobKind) -> None:
        """Every try has failed: a person has the conversation."""
        if kind is JobKind.ANSWER:
            traced = TracedTurn(turn.turn_id, turn.conversation_id, turn.workspace_id)
            self._tracing.record_turn(traced, turn.created_at, now(), outcome="given up")
        log.error("turn given up", turn=turn.turn_id, conversation=turn.conversation_id, workspace=turn.workspace_id)


def _outcome(committed: CommitResult, state: State) -> str:
    is_final = committed in (CommitResult.COMMITTED, CommitResult.CONTINUED)
    return OUTCOMES[state.get("ending")] if is_final else committed.name.lower()


def _turn_of(work: TurnWork) -> TracedTurn:
    return TracedTurn(work.turn_id, work.conversation_id, work.workspace_id)
