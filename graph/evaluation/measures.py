"""Retrieval and calibration measures: recall, reciprocal rank, AUROC, coverage at a precision, calibration error."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.evaluation.dataset import Question
from storage.records import Hit


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """What the desk found for a question."""

    question: Question
    hits: tuple[Hit, ...]
    rank: int
    """1-based place of the first expected entry; 0: not found."""
    confidence: float

    @property
    def is_correct(self) -> bool:
        """Whether the first hit answers the question."""
        return self.rank == 1

    @property
    def in_scope(self) -> bool:
        """Whether the knowledge has an answer."""
        return bool(self.question.expected)


@dataclass(frozen=True, slots=True)
class EvaluationScores:
    """The figures of one set; shares from 0 to 1, none where the set has nothing to measure."""

    name: str
    entries: int
    questions: int
    recall_1: float | None
    recall_5: float | None
    reciprocal_rank: float | None
    auroc: float | None
    """How well confidence tells questions in scope from those out of scope."""
    auroc_correct: float | None
    """How well confidence tells right first hits from wrong ones."""
    coverage_98: float
    """Share of all questions that could be answered alone with at most 2 % wrong, at the best threshold."""
    coverage_95: float
    calibration_error: float
    """Mean distance between confidence and the share that is right, over ten bins."""
    threshold: float
    precision: float | None
    """Share of right ones at the threshold."""
    coverage: float
    """Share of all questions at the threshold."""

    def __rich__(self) -> str:
        """The figures as lines for a terminal."""
        return "\n".join(f"{label:46s}{value}" for label, value in _lines(self))


def measure(name: str, results: Sequence[QuestionResult], threshold: float = 0.65) -> EvaluationScores:
    """Measure what was found for the questions of a set."""
    ranks = [one.rank for one in results if one.in_scope]
    confidence = np.array([one.confidence for one in results], dtype=np.float64)
    correct = np.array([one.is_correct for one in results], dtype=bool)
    confident = confidence >= threshold
    return EvaluationScores(
        name=name,
        entries=len({hit.chunk.id for one in results for hit in one.hits}),
        questions=len(results),
        recall_1=_mean([rank == 1 for rank in ranks]),
        recall_5=_mean([1 <= rank <= 5 for rank in ranks]),  # noqa: PLR2004 - recall at 5
        reciprocal_rank=_mean([1 / rank if rank else 0.0 for rank in ranks]),
        auroc=auroc(confidence, np.array([one.in_scope for one in results], dtype=bool)),
        auroc_correct=auroc(confidence, correct),
        coverage_98=coverage_at_precision(confidence, correct, 0.98),
        coverage_95=coverage_at_precision(confidence, correct, 0.95),
        calibration_error=calibration_error(confidence, correct),
        threshold=threshold,
        precision=_mean(correct[confident]),
        coverage=float(confident.mean()) if len(confident) else 0.0,
    )


def auroc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """Probability that a positive scores above a negative, ties half; None without both."""
    above, below = scores[positive], np.sort(scores[~positive])
    if not len(above) or not len(below):
        return None
    wins = np.searchsorted(below, above, "left") + np.searchsorted(below, above, "right")
    return float(wins.mean() / (2 * len(below)))


def coverage_at_precision(scores: NDArray[np.float64], correct: NDArray[np.bool_], precision: float) -> float:
    """The largest share above a threshold of which this share is right."""
    order = np.argsort(-scores, kind="stable")
    share = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    # A threshold cannot part equal scores.
    whole = np.append(np.diff(scores[order]) != 0, True)[: len(order)]
    good = np.flatnonzero((share >= precision) & whole)
    return float((good[-1] + 1) / len(order)) if len(good) else 0.0


def calibration_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error over equal bins."""
    if not len(confidence):
        return 0.0
    of_bin = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (of_bin == one).mean() * abs(confidence[of_bin == one].mean() - correct[of_bin == one].mean())
        for one in np.unique(of_bin)
    ]
    return float(sum(gaps))


def _mean(values: Sequence[float] | Sequence[bool] | NDArray[np.bool_]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _lines(scores: EvaluationScores) -> Iterator[tuple[str, str]]:
    yield "Set", f"{scores.name}: {scores.questions} questions"
    for label, share in (
        ("Right entry first", scores.recall_1),
        ("Right entry among the first five", scores.recall_5),
        ("Mean reciprocal rank", scores.reciprocal_rank),
        ("Tells in scope from out of scope (AUROC)", scores.auroc),
        ("Tells right from wrong (AUROC)", scores.auroc_correct),
        ("Could be answered alone, 2 % wrong", scores.coverage_98),
        ("Could be answered alone, 5 % wrong", scores.coverage_95),
        ("Calibration error", scores.calibration_error),
        (f"Answered alone at threshold {scores.threshold:g}", scores.coverage),
        ("Right among those", scores.precision),
    ):
        yield label, "-" if share is None else f"{share:.1%}"
