"""The measures are what they say."""

import numpy as np
import pytest

from graph.evaluation.dataset import Question
from graph.evaluation.measures import (
    QuestionResult,
    auroc,
    calibration_error,
    coverage_at_precision,
    measure,
)


def test_auroc_counts_ties_as_half() -> None:
    assert auroc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False])) == 0.875
    assert auroc(np.array([0.9]), np.array([True])) is None


def test_coverage_never_parts_equal_scores() -> None:
    right = np.array([True, True, False, True])
    assert coverage_at_precision(np.array([0.9, 0.8, 0.7, 0.6]), right, 0.98) == 0.5
    assert coverage_at_precision(np.array([0.9, 0.8, 0.8, 0.6]), right, 0.98) == 0.25
    assert coverage_at_precision(np.array([0.9, 0.8, 0.7, 0.6]), right, 0.75) == 1


def test_calibration_error_is_the_gap_between_promise_and_truth() -> None:
    assert calibration_error(np.array([0.8, 0.8, 0.8, 0.8, 0.8]), np.array([True] * 4 + [False])) == pytest.approx(0)
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, False])) == pytest.approx(0.5)


def result(rank: int, confidence: float, *, in_scope: bool = True) -> QuestionResult:
    return QuestionResult(Question("?", frozenset(["a"] if in_scope else [])), (), rank, confidence)


def test_a_set_is_summed_up() -> None:
    scores = measure("set", [result(1, 0.9), result(3, 0.5), result(0, 0.4), result(0, 0.2, in_scope=False)], 0.5)
    assert scores.questions == 4
    assert scores.recall_1 == pytest.approx(1 / 3)
    assert scores.recall_5 == pytest.approx(2 / 3)
    assert scores.reciprocal_rank == pytest.approx((1 + 1 / 3) / 3)
    assert (scores.precision, scores.coverage) == (0.5, 0.5)
    assert (scores.auroc, scores.auroc_correct) == (1, 1)


def test_an_empty_set_has_no_measures() -> None:
    scores = measure("set", [])
    assert (scores.recall_1, scores.auroc, scores.precision, scores.coverage) == (None, None, None, 0)


@pytest.mark.parametrize(("rank", "first", "five"), [(1, 1, 1), (2, 0, 1), (5, 0, 1), (6, 0, 0), (0, 0, 0)])
def test_recall_looks_at_the_first_hit_and_at_five(rank: int, first: int, five: int) -> None:
    scores = measure("set", [result(rank, 0.9)])
    assert (scores.recall_1, scores.recall_5) == (first, five)
    assert scores.reciprocal_rank == pytest.approx(1 / rank if rank else 0)


def test_a_question_out_of_scope_counts_for_no_recall_and_is_never_right() -> None:
    scores = measure("set", [result(1, 0.9), result(0, 0.9, in_scope=False)])
    assert (scores.recall_1, scores.precision, scores.coverage) == (1, 0.5, 1)


def test_who_is_just_at_the_threshold_is_answered() -> None:
    scores = measure("set", [result(1, 0.65), result(0, 0.649)])
    assert (scores.threshold, scores.precision, scores.coverage) == (0.65, 1, 0.5)


def test_the_two_coverages_allow_two_and_five_percent_of_errors() -> None:
    results = [result(1, 0.9 - number / 1000) for number in range(49)] + [result(0, 0.5)]
    results += [result(1, 0.4 - number / 1000) for number in range(9)] + [
        result(0, 0.3),
        result(0, 0.2),
        result(0, 0.1),
    ]
    scores = measure("set", results)
    assert scores.coverage_98 == pytest.approx(59 / 62)
    assert scores.coverage_95 == pytest.approx(61 / 62)


def test_a_calibration_error_weighs_each_bin_by_its_questions() -> None:
    confidence = np.array([0.05, 0.25, 0.25, 1.0])
    right = np.array([False, False, True, True])
    assert calibration_error(confidence, right) == pytest.approx(0.25 * 0.05 + 0.5 * 0.25)
    assert calibration_error(np.array([]), np.array([], dtype=bool)) == 0


def test_the_figures_are_read_as_lines_and_what_there_is_not_is_a_dash() -> None:
    lines = measure("faqs", [result(1, 0.9)]).__rich__().splitlines()
    assert lines[0].endswith("faqs: 1 questions")
    assert lines[1].split()[-1] == "100.0%"
    assert [line.split()[-1] for line in lines if "AUROC" in line] == ["-", "-"]
    assert any(line.startswith("Answered alone at threshold 0.65 ") for line in lines)
