import pytest

from storage.conversations.admission.rate_limit import HOUR, MINUTE, ArrivalTimes, RateLimit, RateLimiter
from storage.errors import TooManyMessagesError
from storage.settings import LimitsSettings

NOW = 1_800_000_000.0


def limiter(**limits: float) -> RateLimiter:
    none = {"customer_per_minute": 0, "customer_per_hour": 0, "workspace_per_minute": 0}
    return RateLimiter(LimitsSettings.model_validate(none | limits))


def ahead(minute: float = 0.0, hour: float = 0.0) -> ArrivalTimes:
    """Arrival times that are so far ahead of the clock."""
    return ArrivalTimes(NOW + minute, NOW + hour)


def test_one_message_takes_its_part_of_the_period() -> None:
    assert RateLimit(4, MINUTE).interval == 15.0
    assert RateLimit(300, HOUR).interval == 12.0


def test_without_a_limit_nothing_is_taken_and_nothing_waits() -> None:
    assert RateLimit(0, MINUTE).interval == 0.0
    assert RateLimit(0, MINUTE).wait(NOW + HOUR, NOW) == 0.0


@pytest.mark.parametrize(
    ("ahead", "wait"), [(-5.0, 0.0), (15.0, 0.0), (60.0, 0.0), (60.0005, 0.0), (60.002, 0.002), (75.0, 15.0)]
)
def test_a_message_waits_for_what_is_further_ahead_than_the_period(ahead: float, wait: float) -> None:
    assert RateLimit(4, MINUTE).wait(NOW + ahead, NOW) == pytest.approx(wait, abs=1e-6)


def test_of_the_minute_and_the_hour_the_longer_wait_counts() -> None:
    limits = limiter(customer_per_minute=4, customer_per_hour=10)
    assert limits.customer_wait(ahead(minute=75, hour=3700), NOW) == pytest.approx(100)
    assert limits.customer_wait(ahead(minute=90, hour=3610), NOW) == pytest.approx(30)


def test_the_workspace_has_a_limit_of_its_own() -> None:
    assert limiter(workspace_per_minute=10).workspace_wait(ahead(minute=66), NOW) == pytest.approx(6)
    assert limiter(customer_per_minute=10).workspace_wait(ahead(minute=66), NOW) == 0.0


def test_a_wait_beyond_the_longest_is_refused_with_the_seconds_until_it_is_not() -> None:
    limits = limiter(longest_wait_seconds=30)
    limits.check(30.0)
    with pytest.raises(TooManyMessagesError) as refused:
        limits.check(34.2)
    assert refused.value.retry_after == 5


def test_a_burst_ends_when_both_limits_are_paid_off() -> None:
    both = limiter(customer_per_minute=4, customer_per_hour=10)
    assert both.burst_ends(ahead(minute=75, hour=3700), NOW) == NOW + 3700
    minute_only = limiter(customer_per_minute=4)
    assert minute_only.burst_ends(ahead(minute=75, hour=3700), NOW) == NOW + 75
