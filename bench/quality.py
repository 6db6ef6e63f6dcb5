"""Retrieval and confidence on every labelled set in a folder, beside the plain cosine they must beat.

`python -m bench.quality --data DIR`. The confidence that a set is measured with was fitted without this set; the last
two columns are the shipped model at the shipped threshold.
"""

import argparse
import asyncio
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.fit_confidence import collect, fit, labelled_folders, reduced, sampled, thinned
from graph.evaluation.dataset import Dataset, load_dataset
from graph.evaluation.measures import EvaluationScores, QuestionResult, measure
from graph.evaluation.runner import evaluate_dataset
from storage.embeddings.local import LocalEmbedder
from storage.records import ChunkKind, WorkspaceSettings

QUESTIONS = 2000
HEADER = "set                              r@1   r@5   MRR |  AUROC  right?  cov98  cov95    ECE | prec@t  cov@t"


def main() -> None:
    """Measure and print one pair of lines per set."""
    parser = argparse.ArgumentParser(description="Measure retrieval and confidence.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--models", type=Path, default=Path("data"), help="where the embedding graph is cached")
    arguments = parser.parse_args()
    embedder = LocalEmbedder(arguments.models)
    threshold = WorkspaceSettings().threshold
    samples = collect(arguments.data, embedder)
    print(f"\n{HEADER}")
    for folder in labelled_folders(arguments.data):
        left_out = fit([sample for sample in samples if sample.group != folder.name])
        for labelled in _measured(folder):
            results = asyncio.run(evaluate_dataset(labelled, embedder))
            fitted = left_out.confident(sampled(folder.name, "", results))
            shipped = measure("shipped", results, threshold)
            print(_line(measure(labelled.name, _by_cosine(results)), None))
            print(_line(measure("", fitted, threshold), shipped))


def _measured(folder: Path) -> Iterator[Dataset]:
    whole = load_dataset(folder)
    yield thinned(whole, QUESTIONS)
    if whole.entries[0][1].kind is ChunkKind.FAQ:
        yield dataclasses.replace(thinned(reduced(whole, 0.7, seed=0), QUESTIONS), name=f"{folder.name} -30 %")


def _by_cosine(results: Sequence[QuestionResult]) -> list[QuestionResult]:
    """The same hits ordered and trusted by their best cosine alone: the baseline."""
    lines = []
    for one in results:
        hits = tuple(sorted(one.hits, key=lambda hit: -hit.dense))
        expected = one.hits[one.rank - 1].chunk.id if one.rank else ""
        rank = next((place for place, hit in enumerate(hits, start=1) if hit.chunk.id == expected), 0)
        lines.append(QuestionResult(one.question, hits, rank, hits[0].dense if hits else 0.0))
    return lines


def _line(scores: EvaluationScores, shipped: EvaluationScores | None) -> str:
    name = f"{scores.name} · cosine" if scores.name else "    Deskhand"
    found = "".join(map(_share, (scores.recall_1, scores.recall_5, scores.reciprocal_rank)))
    trusted = (scores.auroc, scores.auroc_correct, scores.coverage_98, scores.coverage_95, scores.calibration_error)
    ends = "".join(map(_share, (shipped.precision, shipped.coverage))) if shipped else ""
    return f"{name:30s}{found} |{''.join(map(_share, trusted))} |{ends}"


def _share(value: float | None) -> str:
    return "      -" if value is None else f"{value * 100:7.1f}"


if __name__ == "__main__":
    main()
