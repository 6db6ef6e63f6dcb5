"""How long a reply waits for a platform that is away."""

from datetime import timedelta

from bot.delivery import Patience
from storage.settings import Settings


def test_a_platform_that_is_away_for_half_an_hour_loses_no_reply() -> None:
    jobs = Settings().jobs
    patience = Patience(jobs.delivery_attempts, jobs.retry_seconds)
    waited = sum((patience.pause(failures) for failures in range(patience.tries - 1)), timedelta())
    assert waited > timedelta(minutes=30)


def test_the_pauses_grow_to_a_minute() -> None:
    patience = Patience(tries=40, first_pause=1.0)
    assert patience.pause(1) > patience.pause(0)
    assert timedelta(seconds=60) <= patience.pause(30) <= timedelta(seconds=61)
