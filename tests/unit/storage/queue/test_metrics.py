"""Every try at a job is counted by how it went."""

from prometheus_client import CollectorRegistry

from storage.audit import now
from storage.queue.jobs import (
    Handler,
    Handlers,
    Job,
    JobKind,
    Later,
    RetryAfterError,
)
from storage.queue.metrics import JobMeter
from storage.queue.retries import Retries, attempt


async def done(_: Job) -> Later | None:
    return None


async def later(_: Job) -> Later | None:
    return Later(now())


async def retry(_: Job) -> Later | None:
    raise RetryAfterError("the platform is busy")


async def fail(_: Job) -> Later | None:
    raise ValueError


async def nobody(_: Job, __: str) -> None:
    """The last resort."""


async def test_tries_are_counted_by_kind_and_result() -> None:
    registry = CollectorRegistry()
    kinds: dict[JobKind, Handler] = {
        JobKind.ANSWER: done,
        JobKind.DELIVER: later,
        JobKind.RESUME: retry,
        JobKind.LOAD: fail,
    }
    handlers = JobMeter(registry).metered(Handlers(kinds, nobody))
    for kind in kinds:
        await attempt(Job(kind, "id", "lane"), handlers, Retries(1))
    expected = {JobKind.ANSWER: "done", JobKind.DELIVER: "later", JobKind.RESUME: "retry", JobKind.LOAD: "failed"}
    for kind, result in expected.items():
        assert registry.get_sample_value("deskhand_jobs_total", {"kind": kind, "result": result}) == 1
        assert registry.get_sample_value("deskhand_job_seconds_count", {"kind": kind}) == 1
