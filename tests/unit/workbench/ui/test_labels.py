"""Figures in words: each level begins where it says."""

import pytest

from storage.records import Draft
from workbench.ui.labels import confidence_label, duration_text


@pytest.mark.parametrize(
    ("confidence", "words", "tone"),
    [
        (1.0, "Very likely right", "ok"),
        (0.9, "Very likely right", "ok"),
        (0.89, "Likely right", "ok"),
        (0.75, "Likely right", "ok"),
        (0.74, "May be right: check it", "warn"),
        (0.5, "May be right: check it", "warn"),
        (0.49, "Probably not right", "danger"),
        (0.0, "Probably not right", "danger"),
    ],
)
def test_a_confidence_is_said_in_four_levels(confidence: float, words: str, tone: str) -> None:
    assert confidence_label(Draft(can_answer=True, confidence=confidence)) == (words, tone)


def test_without_an_answer_no_confidence_is_said() -> None:
    assert confidence_label(Draft(confidence=0.95)) == ("No answer found", "danger")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59, "59 s"),
        (60, "1 min"),
        (90, "1.5 min"),
        (3599, "60 min"),
        (3600, "1 h"),
        (86399, "24 h"),
        (86400, "1 d"),
        (129600, "1.5 d"),
    ],
)
def test_a_span_of_time_is_said_in_the_unit_that_fits(seconds: float | None, words: str) -> None:
    assert duration_text(seconds) == words
