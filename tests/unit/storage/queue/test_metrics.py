"""Every try at a job is counted by how it went."""

from prometheus_client import CollectorRegistry

from storage.backoff import RetryPolicy
from storage.clock import now
from storage.queue.jobs import (
    Handler,
    Handlers,
    Job,
    JobKind,
    RetryAfterError,
    RunAt,
)
from storage.queue.metrics import JobMetrics
from storage.queue.retries import attempt


async def done(_: Job) -> RunAt | None:
    return None


async def later(_: Job) -> RunAt | None:
    return RunAt(now())


async def retry(_: Job) -> RunAt | None:
    raise RetryAfterError("the platform is busy")


async def fail(_: Job) -> RunAt | None:
    raise ValueError


async def nobody(_: Job, __: str) -> None:
    """Handles no dead letter."""


async def test_tries_are_counted_by_kind_and_result() -> None:
    registry = CollectorRegistry()
    kinds: dict[JobKind, Handler] = {
        JobKind.ANSWER: done,
        JobKind.DELIVER: later,
        JobKind.RESUME: retry,
        JobKind.LOAD: fail,
    }
    handlers = JobMetrics(registry).instrument(Handlers(kinds, nobody))
    for kind in kinds:
        await attempt(Job(kind, "id", "key"), handlers, RetryPolicy(1))
    expected = {JobKind.ANSWER: "done", JobKind.DELIVER: "later", JobKind.RESUME: "retry", JobKind.LOAD: "failed"}
    for kind, result in expected.items():
        assert registry.get_sample_value("deskhand_jobs_total", {"kind": kind, "result": result}) == 1
        assert registry.get_sample_value("deskhand_job_seconds_count", {"kind": kind}) == 1
