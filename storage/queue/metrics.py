"""Metrics of the job queue: a Prometheus counter and a histogram around every handler of a process."""

from dataclasses import replace

from prometheus_client import CollectorRegistry, Counter, Histogram

from storage.queue.jobs import (
    Handler,
    Handlers,
    Job,
    RetryAfterError,
    RunAt,
)

JOB_SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class JobMetrics:
    """Counts every try at a job; `registry` is the one that `/metrics` shows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tries = Counter(
            "deskhand_jobs",
            "Tries at jobs: done, later (not due yet), retry (a hindrance that passes) or failed.",
            ["kind", "result"],
            registry=registry,
        )
        self._seconds = Histogram(
            "deskhand_job_seconds", "Time per try at a job.", ["kind"], registry=registry, buckets=JOB_SECONDS_BUCKETS
        )

    def instrument(self, handlers: Handlers) -> Handlers:
        """The same handlers, counted and timed."""
        return replace(
            handlers, by_kind={kind: self._instrumented(handler) for kind, handler in handlers.by_kind.items()}
        )

    def _instrumented(self, handler: Handler) -> Handler:
        async def instrumented(job: Job) -> RunAt | None:
            result = "failed"
            try:
                with self._seconds.labels(job.kind).time():
                    later = await handler(job)
                result = "done" if later is None else "later"
            except RetryAfterError:
                result = "retry"
                raise
            finally:
                self._tries.labels(job.kind, result).inc()
            return later

        return instrumented
