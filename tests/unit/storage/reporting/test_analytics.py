"""What a report makes of counted rows: medians, shares, the strongest label, the days it touches."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from storage.errors import InvalidError
from storage.records import LabelSource, Outcome
from storage.reporting.analytics import _by_strongest_label, _duration_stats, _ReportSpan, _shares
from storage.reporting.report import DurationStats, LabelCounts, OutcomeShares

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = {"automatic": LabelSource.AUDIT, "decided": LabelSource.DECISION, "voted": LabelSource.VOTE}


def span(since: datetime, until: datetime) -> _ReportSpan:
    return _ReportSpan(True, "demo", since, until)


def waits(*seconds: float) -> DurationStats:
    return _duration_stats([(NOON, NOON + timedelta(seconds=second)) for second in seconds])  # type: ignore[misc]


def test_one_value_is_its_own_median_and_ninth_tenth() -> None:
    assert waits(5) == DurationStats(1, 5, 5)
    assert waits() == DurationStats(0, None, None)


def test_nine_of_ten_took_no_longer_than_the_p90() -> None:
    assert waits(*range(1, 11)) == DurationStats(10, 5.5, 9)
    assert waits(*range(1, 12)) == DurationStats(11, 6, 10)


def test_what_ended_before_it_began_took_no_time() -> None:
    assert waits(-3) == DurationStats(1, 0, 0)


@pytest.mark.parametrize(
    ("labels", "right"),
    [
        ([("voted", False), ("decided", True)], True),
        ([("decided", True), ("automatic", False)], False),
        ([("automatic", False), ("voted", True), ("decided", True)], False),
    ],
)
def test_of_several_labels_the_strongest_counts(labels: list[tuple[str, bool]], right: bool) -> None:
    rows = [("draft", WORDS[source], correct) for source, correct in labels]
    assert _by_strongest_label(rows) == LabelCounts(right=int(right), wrong=int(not right))  # type: ignore[arg-type]


def test_the_share_of_wrong_ones_is_unknown_without_labels() -> None:
    assert LabelCounts(0, 0).error is None
    assert LabelCounts(3, 1).error == 0.25


def test_shares_of_no_turns_are_nothing_and_two_outcomes_are_by_hand() -> None:
    none = dict.fromkeys(Outcome, 0)
    assert _shares(none) == OutcomeShares(0, 0, 0, 0)
    assert _shares(none | {Outcome.HANDOFF: 1, Outcome.SILENCED: 1, Outcome.SENT: 2}) == OutcomeShares(0.5, 0, 0.5, 0)


def test_the_end_of_a_span_is_not_in_it_and_days_are_those_of_utc() -> None:
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    assert list(span(NOON, midnight).days()) == [date(2026, 3, 1), date(2026, 3, 2)]
    assert list(span(NOON, midnight + timedelta.resolution).days())[-1] == date(2026, 3, 3)
    east = datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=2)))
    assert next(iter(span(east, midnight).days())) == date(2026, 3, 1)


@pytest.mark.parametrize("length", [timedelta(), timedelta(days=-1), timedelta(days=366, microseconds=1)])
def test_a_span_without_length_or_above_a_year_is_refused(length: timedelta) -> None:
    with pytest.raises(InvalidError):
        span(NOON, NOON + length)
    assert span(NOON, NOON + timedelta(days=366))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidError, match="zone"):
        span(NOON.replace(tzinfo=None), NOON)
