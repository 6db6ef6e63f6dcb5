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
