"""Fit the coefficients of graph/confidence.py over every labelled set in a folder, and say what they are worth.

`python -m bench.fit_confidence --data DIR`; paste the last lines into graph/confidence.py. Each set counts the same,
whatever its size. A set is asked whole, with fewer phrasings, with 30 % of its entries removed (questions that
belong to the field and have no answer) and with three entries only. Signs are fixed where only one makes sense: a
question that denies an entry is never a reason to trust it more.
"""

import argparse
import asyncio
import dataclasses
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from graph.confidence import COEFFICIENTS, features
from graph.evaluation.dataset import Dataset, Question, load_dataset
from graph.evaluation.measures import EvaluationScores, QuestionResult, measure
from graph.evaluation.runner import ASSESSED_HITS, evaluate_dataset
from storage.embeddings.local import LocalEmbedder
from storage.embeddings.protocol import Embedder
from storage.records import ChunkKind

QUESTIONS = 500
"""Asked of one variant at most."""
RIDGE = 1e-3
RISING = ("dense", "agreement", "margin", "coverage")
FALLING = ("elsewhere", "opposite", "trouble")
MISMATCH = ("denial", "done")
LEAST_MISMATCH = -2.5
"""So rare in these sets that they cannot be fitted, and the worst mistakes where live users write: set by judgement."""
NAMES = tuple(COEFFICIENTS)


@dataclass(frozen=True, slots=True)
class Sample:
    """One set in one variant, judged."""

    group: str
    """The set; its variants are never on both sides of a fit."""
    variant: str
    results: tuple[QuestionResult, ...]
    values: NDArray[np.float64]
    """(questions, features)."""


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model."""

    intercept: float
    coefficients: Mapping[str, float]

    def confident(self, sample: Sample) -> tuple[QuestionResult, ...]:
        """The sample with this model's confidence."""
        logits = sample.values @ np.array([self.coefficients[name] for name in NAMES]) + self.intercept
        found = 1 / (1 + np.exp(-logits))
        return tuple(
            dataclasses.replace(one, confidence=float(value)) for one, value in zip(sample.results, found, strict=True)
        )


def main() -> None:
    """Collect, fit leaving each set out, fit on all, print."""
    parser = argparse.ArgumentParser(description="Fit the confidence model.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--models", type=Path, default=Path("data"), help="where the embedding graph is cached")
    arguments = parser.parse_args()
    samples = collect(arguments.data, LocalEmbedder(arguments.models))
    for sample in samples:
        left_out = fit([other for other in samples if other.group != sample.group])
        print(line(measure(f"{sample.group} {sample.variant}", left_out.confident(sample))))
    model = fit(samples)
    print(f"\nINTERCEPT = {model.intercept:.3f}")
    for name in NAMES:
        print(f'        "{name}": {model.coefficients[name]:.3f},')


def line(scores: EvaluationScores) -> str:
    """One row of a table."""
    shares = (
        scores.recall_1,
        scores.auroc,
        scores.auroc_correct,
        scores.coverage_98,
        scores.coverage_95,
        scores.calibration_error,
        scores.precision,
        scores.coverage,
    )
    return f"{scores.name:42s}" + "".join("     -" if share is None else f"{share:6.1%}" for share in shares)


def collect(data: Path, embedder: Embedder) -> list[Sample]:
    """Every variant of every labelled set in the folder, judged by the real search."""
    samples: list[Sample] = []
    for folder in labelled_folders(data):
        for variant, labelled in variants(folder):
            print(f"asking {folder.name} {variant}", flush=True)
            samples.append(sampled(folder.name, variant, asyncio.run(evaluate_dataset(labelled, embedder))))
    return samples


def labelled_folders(data: Path) -> list[Path]:
    """The folders that hold questions with their answers."""
    return sorted(path.parent for name in ("queries.jsonl", "tasks.jsonl") for path in data.glob(f"*/{name}"))


def sampled(group: str, variant: str, results: Sequence[QuestionResult]) -> Sample:
    """Judged questions with their features; a question that found nothing is no evidence."""
    found = tuple(one for one in results if one.hits)
    rows = [features(one.question.text, one.hits[:ASSESSED_HITS]) for one in found]
    return Sample(group, variant, found, np.array([[row[name] for name in NAMES] for row in rows]))


def variants(folder: Path) -> Iterator[tuple[str, Dataset]]:
    """The set whole, with fewer phrasings, with entries removed, and very small."""
    whole = load_dataset(folder)
    yield "whole", thinned(whole)
    if any(piece.kind is ChunkKind.PASSAGE for _, piece in whole.entries):
        return
    if any(piece.alternatives for _, piece in whole.entries):
        yield "5 phrasings", thinned(load_dataset(folder, phrasings=5))
        yield "no phrasings", thinned(load_dataset(folder, phrasings=0))
        yield "5 phrasings, 30 % removed", thinned(reduced(load_dataset(folder, phrasings=5), 0.7, seed=2))
    for seed in (0, 1):
        yield f"30 % removed, {seed}", thinned(reduced(whole, 0.7, seed))
        yield f"three entries, {seed}", thinned(reduced(whole, 3 / len(whole.entries), seed), 150)


def reduced(labelled: Dataset, share: float, seed: int) -> Dataset:
    """A share of the entries; the others' questions have no answer then."""
    kept = random.Random(seed).sample(labelled.entries, round(len(labelled.entries) * share))  # noqa: S311 - no secret
    ids = {entry_id for entry_id, _ in kept}
    questions = tuple(Question(one.text, one.expected & ids) for one in labelled.questions)
    return Dataset(labelled.name, tuple(kept), questions)


def thinned(labelled: Dataset, limit: int = QUESTIONS) -> Dataset:
    """At most so many questions, drawn the same way every time; as many in scope as out of scope at least."""
    draw = random.Random(0)  # noqa: S311 - no secret
    inside = [one for one in labelled.questions if one.expected]
    outside = [one for one in labelled.questions if not one.expected]
    draw.shuffle(inside)
    draw.shuffle(outside)
    outside = outside[: max(limit - len(inside), limit // 3)]
    return dataclasses.replace(labelled, questions=tuple(inside[: limit - len(outside)] + outside))


def fit(samples: Sequence[Sample]) -> Model:
    """A logistic model with bounded signs and a small ridge, every set of equal weight."""
    groups = {sample.group for sample in samples}
    variant_count = {group: sum(sample.group == group for sample in samples) for group in groups}
    values = np.concatenate([sample.values for sample in samples])
    correct = np.concatenate([[one.is_correct for one in sample.results] for sample in samples]).astype(float)
    weights = np.concatenate(
        [
            np.full(len(sample.results), 1 / len(sample.results) / variant_count[sample.group] / len(groups))
            for sample in samples
        ]
    )
    spread = values.std(axis=0) + 1e-9
    inputs = np.column_stack([values / spread, np.ones(len(values))])

    def loss(coefficients: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = inputs @ coefficients
        ridge = np.append(coefficients[:-1], 0.0)
        cost = weights @ (np.logaddexp(0, logits) - correct * logits) + RIDGE * (ridge @ ridge)
        return float(cost), inputs.T @ (weights * (1 / (1 + np.exp(-logits)) - correct)) + 2 * RIDGE * ridge

    bounds = [_bounds(name, scale) for name, scale in zip(NAMES, spread, strict=True)]
    found = minimize(loss, np.zeros(len(NAMES) + 1), jac=True, bounds=[*bounds, (None, None)], method="L-BFGS-B").x
    return Model(float(found[-1]), dict(zip(NAMES, (found[:-1] / spread).tolist(), strict=True)))


def _bounds(name: str, scale: float) -> tuple[float | None, float | None]:
    if name in RISING:
        return 0, None
    if name in MISMATCH:
        return None, LEAST_MISMATCH * scale
    return (None, 0) if name in FALLING else (None, None)


if __name__ == "__main__":
    main()
