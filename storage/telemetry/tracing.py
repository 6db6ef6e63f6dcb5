"""Distributed tracing: one trace per turn, whichever processes work on it; OpenTelemetry, off without an exporter.

The ids of a turn's trace and of its first span are computed from the turn's id. So every process that holds the turn's
row can add to its trace: nothing has to travel with the job, be kept in the rows, or survive a crash.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from importlib.metadata import version

import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    get_current_span,
    set_span_in_context,
    use_span,
)

AttributeValue = str | int | float | bool | None
CLOSE_SECONDS = 2.0
"""How long a stopping process waits for a collector that does not answer."""

_tracer: ContextVar[Tracer | None] = ContextVar("tracer", default=None)
"""Set while a traced turn is worked on: what is called meanwhile adds its spans without being handed anything."""


@contextmanager
def span(name: str, **attributes: AttributeValue) -> Iterator[None]:
    """A step of the turn that is worked on here; nothing outside of a traced turn.

    `attributes` are ids, kinds and numbers, never text. An exception marks the step as failed by its kind alone: its
    words may be the customer's.
    """
    tracer = _tracer.get()
    if tracer is None:
        yield
        return
    with _recording(tracer.start_span(name, attributes=_attributes(attributes))):
        yield


def annotate_span(**attributes: AttributeValue) -> None:
    """Add to the innermost step what has come out of it."""
    if _tracer.get() is not None:
        get_current_span().set_attributes(_attributes(attributes))


@dataclass(frozen=True, slots=True)
class TracedTurn:
    """The turn that a span is about."""

    turn_id: str
    conversation_id: str
    workspace_id: str


class Tracing:
    """The traces that this process adds to."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("deskhand", version("deskhand")) if provider else None

    @contextmanager
    def step(self, turn: TracedTurn, name: str, **attributes: AttributeValue) -> Iterator[None]:
        """A step of the turn, during which `span` and `annotate_span` add to its trace."""
        if self._tracer is None:
            yield
            return
        about = _attributes(attributes) | _turn_attributes(turn)
        token = _tracer.set(self._tracer)
        try:
            with (
                structlog.contextvars.bound_contextvars(trace=f"{_ids(turn.turn_id)[0]:032x}"),
                _recording(self._tracer.start_span(name, self._parent(turn.turn_id), attributes=about)),
            ):
                yield
        finally:
            _tracer.reset(token)

    def record_step(
        self, turn: TracedTurn, name: str, begun: datetime, ended: datetime, **attributes: AttributeValue
    ) -> None:
        """A step that is known only now that it is over, such as the wait in the queue."""
        if self._tracer is not None:
            about = _attributes(attributes) | _turn_attributes(turn)
            step = self._tracer.start_span(
                name, self._parent(turn.turn_id), attributes=about, start_time=_nanoseconds(begun)
            )
            step.end(_nanoseconds(max(begun, ended)))

    def record_turn(self, turn: TracedTurn, begun: datetime, ended: datetime, **attributes: AttributeValue) -> None:
        """The first span, which all others are below: from the first message until the desk had done its part."""
        if self._tracer is not None:
            token = _root_ids.set(_ids(turn.turn_id))
            try:
                first = self._tracer.start_span(
                    "turn",
                    Context(),
                    attributes=_attributes(attributes) | _turn_attributes(turn),
                    start_time=_nanoseconds(begun),
                )
            finally:
                _root_ids.reset(token)
            first.end(_nanoseconds(max(begun, ended)))

    def close(self) -> None:
        """Send what has not been sent yet; a collector that does not answer is not waited for much longer."""
        if self._provider is not None:
            # The exporter has a patience of its own, which a stopping process does not have.
            closing = threading.Thread(target=self._provider.shutdown, name="last traces", daemon=True)
            closing.start()
            closing.join(CLOSE_SECONDS)

    def _parent(self, turn_id: str) -> Context:
        """The turn's first span as the parent of a span in this process, sampled as every other process decides."""
        trace_id, span_id = _ids(turn_id)
        sampled = self._provider is not None and (
            self._provider.sampler.should_sample(Context(), trace_id, "turn").decision is Decision.RECORD_AND_SAMPLE
        )
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        return set_span_in_context(NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)))


class RootIdGenerator(RandomIdGenerator):
    """Random ids, but for a turn's first span."""

    def generate_trace_id(self) -> int:
        """128 bits."""
        first = _root_ids.get()
        return first[0] if first else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """64 bits."""
        first = _root_ids.get()
        return first[1] if first else super().generate_span_id()


_root_ids: ContextVar[tuple[int, int] | None] = ContextVar("first", default=None)


@contextmanager
def _recording(step: Span) -> Iterator[None]:
    with use_span(step, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except Exception as error:
            kind = getattr(error, "kind", None) or type(error).__name__
            step.set_status(Status(StatusCode.ERROR, str(kind)))
            step.set_attribute("error.type", str(kind))
            raise


def _ids(turn_id: str) -> tuple[int, int]:
    """Trace id and span id, of 128 and 64 bits.

    Hashed: a turn's id is a UUID, whose fixed bits would spoil the sampling by trace ids.
    """
    digest = blake2b(turn_id.encode(), digest_size=24).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:])


def _turn_attributes(turn: TracedTurn) -> dict[str, str | int | float | bool]:
    return _attributes({"turn": turn.turn_id, "conversation": turn.conversation_id, "workspace": turn.workspace_id})


def _attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, str | int | float | bool]:
    return {f"deskhand.{name}": value for name, value in attributes.items() if value is not None}


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
