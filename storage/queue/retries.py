"""One attempt at a job, and what follows from it: done, again after a pause, or dead-lettered; alike in both queues."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from storage import clock
from storage.backoff import RetryPolicy
from storage.errors import UnavailableError
from storage.queue.jobs import Handlers, Job, RetryAfterError
from storage.queue.log_context import job_context

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Retry:
    """The job is to be done again, not before this time."""

    job: Job
    due: datetime


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """Every try has failed, and whoever must know has been told."""

    reason: str


async def attempt(job: Job, handlers: Handlers, retries: RetryPolicy) -> Retry | DeadLettered | None:
    """Do the job once; None when it is done."""
    with job_context(job):
        try:
            later = await handlers.by_kind[job.kind](job)
        except RetryAfterError as error:
            return await _failed(job, handlers, retries, error.reason, error.seconds)
        except Exception as error:
            log.exception("job failed", kind=job.kind, id=job.id, attempt=job.attempt)
            # What is away says so in words for people.
            reason = error.detail if isinstance(error, UnavailableError) else type(error).__name__
            return await _failed(job, handlers, retries, reason, None)
        return None if later is None else Retry(job, later.until)


async def dead_letter(job: Job, handlers: Handlers, reason: str) -> DeadLettered:
    """Every try has failed: tell whoever must know."""
    with job_context(job):
        try:
            await handlers.on_dead_letter(job, reason)
        except Exception:
            log.exception("dead-letter handler failed", kind=job.kind, id=job.id)
    return DeadLettered(reason)


async def _failed(
    job: Job, handlers: Handlers, retries: RetryPolicy, reason: str, seconds: float | None
) -> Retry | DeadLettered:
    if not retries.has_more(job.attempt):
        return await dead_letter(job, handlers, reason)
    pause = retries.pause(job.attempt) if seconds is None else timedelta(seconds=seconds)
    return Retry(replace(job, attempt=job.attempt + 1), clock.now() + pause)
