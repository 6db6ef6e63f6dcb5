"""One attempt at a job: done, again at the right time, or given up once and said so."""

from datetime import UTC, datetime, timedelta

import pytest

from storage import clock
from storage.backoff import RetryPolicy
from storage.errors import UnavailableError
from storage.queue.jobs import Handler, Handlers, Job, JobKind, RetryAfterError, RunAt
from storage.queue.retries import DeadLettered, Retry, attempt

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
POLICY = RetryPolicy(max_attempts=3, first_pause=8.0)
JOB = Job(JobKind.ANSWER, "turn", "conversation")


class DeadLetters:
    """Who must know, and may fail to hear."""

    def __init__(self, error: Exception | None = None) -> None:
        self.told: list[tuple[str, str]] = []
        self.error = error

    async def __call__(self, job: Job, reason: str) -> None:
        self.told.append((job.id, reason))
        if self.error:
            raise self.error


def failing(error: Exception) -> Handler:
    async def handler(job: Job) -> RunAt | None:  # noqa: ARG001 - a handler gets its job
        raise error

    return handler


async def tried(handler: Handler, letters: DeadLetters, tries: int = 0) -> Retry | DeadLettered | None:
    """The outcome of one attempt at noon, after so many failed ones."""
    job = Job(JOB.kind, JOB.id, JOB.key, attempt=tries)
    with clock.frozen(NOW):
        return await attempt(job, Handlers({JobKind.ANSWER: handler}, letters), POLICY)


async def test_a_job_that_is_done_is_over() -> None:
    async def handler(job: Job) -> None:
        assert job == JOB

    letters = DeadLetters()
    assert await tried(handler, letters) is None
    assert letters.told == []


async def test_a_job_that_comes_too_early_waits_without_a_failed_try() -> None:
    async def handler(job: Job) -> RunAt | None:  # noqa: ARG001 - a handler gets its job
        return RunAt(NOW + timedelta(hours=1))

    assert await tried(handler, DeadLetters(), tries=1) == Retry(
        Job(JOB.kind, JOB.id, JOB.key, attempt=1), NOW + timedelta(hours=1)
    )


async def test_a_failed_try_is_counted_and_waits_longer_each_time() -> None:
    first = await tried(failing(ValueError()), DeadLetters())
    second = await tried(failing(ValueError()), DeadLetters(), tries=1)
    assert isinstance(first, Retry)
    assert isinstance(second, Retry)
    assert (first.job.attempt, second.job.attempt) == (1, 2)
    assert timedelta(seconds=8) <= first.due - NOW <= timedelta(seconds=10)
    assert timedelta(seconds=16) <= second.due - NOW <= timedelta(seconds=18)


async def test_who_says_when_to_come_back_is_asked_again_then() -> None:
    outcome = await tried(failing(RetryAfterError("too much", seconds=90)), DeadLetters())
    assert isinstance(outcome, Retry)
    assert outcome.due == NOW + timedelta(seconds=90)
    soon = await tried(failing(RetryAfterError("too much", seconds=0)), DeadLetters())
    assert isinstance(soon, Retry)
    assert soon.due == NOW
    whenever = await tried(failing(RetryAfterError("away")), DeadLetters())
    assert isinstance(whenever, Retry)
    assert whenever.due >= NOW + timedelta(seconds=8)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("a secret in the text"), "ValueError"),
        (UnavailableError("The chat model is away."), "The chat model is away."),
        (RetryAfterError("the channel is off"), "the channel is off"),
    ],
)
async def test_the_last_try_tells_once_why_it_was_given_up(error: Exception, reason: str) -> None:
    letters = DeadLetters()
    assert await tried(failing(error), letters, tries=2) == DeadLettered(reason)
    assert letters.told == [(JOB.id, reason)]


async def test_a_job_stays_given_up_when_even_the_telling_fails() -> None:
    letters = DeadLetters(OSError("no rows"))
    assert await tried(failing(ValueError()), letters, tries=2) == DeadLettered("ValueError")
    assert len(letters.told) == 1
