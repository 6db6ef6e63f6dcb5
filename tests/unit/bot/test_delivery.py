"""How long a reply waits for a platform that is away."""

from datetime import timedelta

from storage.backoff import RetryPolicy
from storage.settings import Settings


def test_a_platform_that_is_away_for_half_an_hour_loses_no_reply() -> None:
    jobs = Settings().jobs
    retries = RetryPolicy(jobs.delivery_attempts, jobs.retry_seconds)
    waited = sum((retries.pause(failures) for failures in range(retries.max_attempts - 1)), timedelta())
    assert waited > timedelta(minutes=30)
