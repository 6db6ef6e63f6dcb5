"""One try at a job, and what follows from how it went: the same rules in every queue."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from tenacity import RetryCallState, wait_exponential_jitter

from storage import clock
from storage.errors import UnavailableError
from storage.queue.jobs import Handlers, Job, RetryAfterError
from storage.telemetry.log_context import about_job

log = structlog.get_logger(__name__)

MAX_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Retry:
    """The job is to be done again, not before this time."""

    job: Job
    due: datetime


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """Every try has failed, and whoever must know has been told."""

    reason: str


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failing job is tried, and how long it waits in between."""

    max_attempts: int = 5
    first_pause: float = 1.0
    """Seconds; it doubles with every failed try, up to a minute, with some jitter."""

    def has_more(self, job: Job) -> bool:
        """Whether the job may be tried once more after the try that it is in now."""
        return job.attempt + 1 < self.max_attempts

    def pause(self, attempt: int) -> timedelta:
        """How long to wait after the try number `attempt` (0: the first) has failed."""
        grown = wait_exponential_jitter(multiplier=self.first_pause, max=MAX_PAUSE_SECONDS, jitter=self.first_pause / 4)
        state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]  # only the attempt is read
        state.attempt_number = attempt + 1
        return timedelta(seconds=grown(state))


async def attempt(job: Job, handlers: Handlers, retries: RetryPolicy) -> Retry | DeadLettered | None:
    """Do the job once; None when it is done."""
    with about_job(job):
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


async def give_up(job: Job, handlers: Handlers, reason: str) -> DeadLettered:
    """Every try has failed: tell whoever must know."""
    with about_job(job):
        try:
            await handlers.on_dead_letter(job, reason)
        except Exception:
            log.exception("last resort failed", kind=job.kind, id=job.id)
    return DeadLettered(reason)


async def _failed(
    job: Job, handlers: Handlers, retries: RetryPolicy, reason: str, seconds: float | None
) -> Retry | DeadLettered:
    if not retries.has_more(job):
        return await give_up(job, handlers, reason)
    pause = retries.pause(job.attempt) if seconds is None else timedelta(seconds=seconds)
    return Retry(replace(job, attempt=job.attempt + 1), clock.now() + pause)
