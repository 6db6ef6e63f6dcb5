"""Pauses that grow, and tries that come to an end."""

from datetime import timedelta
from itertools import islice

import pytest

from storage.backoff import MAX_PAUSE_SECONDS, Backoff, RetryPolicy


def test_pauses_between_tries_double_up_to_a_minute() -> None:
    retries = RetryPolicy(max_attempts=20, first_pause=1.0)
    pauses = [retries.pause(attempt).total_seconds() for attempt in range(10)]
    for attempt, pause in enumerate(pauses[:6]):
        assert 2**attempt <= pause <= 2**attempt + 0.25
    assert pauses[6:] == [MAX_PAUSE_SECONDS] * 4


def test_the_last_try_has_no_successor() -> None:
    retries = RetryPolicy(max_attempts=3)
    more = [retries.has_more(attempt) for attempt in range(3)]
    assert more == [True, True, False]


def test_the_pauses_grow_to_a_minute() -> None:
    retries = RetryPolicy(max_attempts=40, first_pause=1.0)
    assert retries.pause(1) > retries.pause(0)
    assert timedelta(seconds=60) <= retries.pause(30) <= timedelta(seconds=61)


def test_without_jitter_each_pause_is_twice_the_one_before_up_to_the_longest() -> None:
    assert list(islice(Backoff(first=0.1, longest=0.5).pauses(), 5)) == pytest.approx([0.1, 0.2, 0.4, 0.5, 0.5])


def test_what_failed_together_comes_back_at_different_times() -> None:
    backoff = Backoff(first=1.0, longest=60.0, jitter=1.0)
    pauses = {backoff.seconds(0) for _ in range(20)}
    assert len(pauses) > 1
    assert all(1.0 <= pause <= 2.0 for pause in pauses)


def test_any_number_of_failures_has_a_pause() -> None:
    assert Backoff(first=0.1, longest=2.0).seconds(10_000) == 2.0
