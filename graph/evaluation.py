"""How good retrieval and confidence are on a labelled set of questions."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.confidence import assess
from storage.embeddings.protocol import Embedder
from storage.errors import InvalidError
from storage.knowledge.documents.parsed import ParsedChunk, ParsedFile
from storage.knowledge.search import Knowledge
from storage.records import ChunkKind, Hit
from storage.settings import Settings
from storage.store import KnowledgeStore, migrate_database, open_store

WORKSPACE = "evaluation"
LIMIT = 10
"""Hits looked at; a right one behind them counts as not found."""
ASSESSED = 5
"""Hits that the confidence sees, as in the graph."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the entries that answer it; none: it is out of scope."""

    text: str
    expected: frozenset[str]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Knowledge and questions to ask it."""

    name: str
    entries: tuple[tuple[str, ParsedChunk], ...]
    """Each with the id that questions name."""
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What the desk found for a question."""

    question: Question
    hits: tuple[Hit, ...]
    rank: int
    """1-based place of the first expected entry; 0: not found."""
    confidence: float

    @property
    def right(self) -> bool:
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
    auroc_right: float | None
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


def evaluate_folder(folder: Path, embedder: Embedder, threshold: float = 0.65) -> EvaluationScores:
    """Load the set in a folder, ask every question, measure. Blocking. Raises InvalidError."""
    return score(folder.name, asyncio.run(judge(load_set(folder), embedder)), threshold)


def load_set(folder: Path, phrasings: int = 20) -> Dataset:
    """The set in a folder; questions of a split named `train` are left out.

    `faqs.jsonl`, or `faqs_from_train.jsonl` with alternatives, and `queries.jsonl`; or `passages.jsonl` and
    `tasks.jsonl`. Raises InvalidError for anything else.
    """
    if (folder / "passages.jsonl").is_file():
        return Dataset(folder.name, tuple(_passages(folder)), tuple(_tasks(folder)))
    with_phrasings = folder / "faqs_from_train.jsonl"
    faqs = with_phrasings if with_phrasings.is_file() else folder / "faqs.jsonl"
    return Dataset(folder.name, tuple(_faqs(faqs, phrasings)), tuple(_queries(folder / "queries.jsonl")))


async def judge(labelled: Dataset, embedder: Embedder) -> tuple[Result, ...]:
    """Ask every question of a desk that knows the set's entries and nothing else."""
    with TemporaryDirectory(prefix="deskhand-evaluation-") as folder:
        settings = Settings(data_dir=Path(folder))
        await migrate_database(settings)
        async with open_store(settings, embedder) as store:
            await store.accounts.workspaces.create(WORKSPACE, "Evaluation")
            return await _ask_all(store.knowledge, labelled)


async def _ask_all(knowledge: KnowledgeStore, labelled: Dataset) -> tuple[Result, ...]:
    parsed = ParsedFile(tuple(chunk for _, chunk in labelled.entries))
    await knowledge.catalogue.store(WORKSPACE, labelled.name, parsed)
    ids = [entry_id for entry_id, _ in labelled.entries]
    return tuple([await _ask(knowledge.index, question, ids) for question in labelled.questions])


async def _ask(knowledge: Knowledge, question: Question, ids: Sequence[str]) -> Result:
    hits = await knowledge.search(WORKSPACE, question.text, LIMIT)
    found = [ids[hit.chunk.position] in question.expected for hit in hits]
    confidence, _ = assess(question.text, hits[:ASSESSED])
    return Result(question, hits, found.index(True) + 1 if any(found) else 0, confidence)


def score(name: str, judged: Sequence[Result], threshold: float = 0.65) -> EvaluationScores:
    """Measure judged questions."""
    ranks = [one.rank for one in judged if one.in_scope]
    confidence = np.array([one.confidence for one in judged])
    right = np.array([one.right for one in judged])
    sure = confidence >= threshold
    return EvaluationScores(
        name=name,
        entries=len({hit.chunk.id for one in judged for hit in one.hits}),
        questions=len(judged),
        recall_1=_mean([rank == 1 for rank in ranks]),
        recall_5=_mean([1 <= rank <= 5 for rank in ranks]),  # noqa: PLR2004 - recall at 5
        reciprocal_rank=_mean([1 / rank if rank else 0.0 for rank in ranks]),
        auroc=auroc(confidence, np.array([one.in_scope for one in judged])),
        auroc_right=auroc(confidence, right),
        coverage_98=coverage_at(confidence, right, 0.98),
        coverage_95=coverage_at(confidence, right, 0.95),
        calibration_error=calibration_error(confidence, right),
        threshold=threshold,
        precision=_mean(right[sure]),
        coverage=float(sure.mean()) if len(sure) else 0.0,
    )


def auroc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """Probability that a positive scores above a negative, ties half; None without both."""
    above, below = scores[positive], np.sort(scores[~positive])
    if not len(above) or not len(below):
        return None
    wins = np.searchsorted(below, above, "left") + np.searchsorted(below, above, "right")
    return float(wins.mean() / (2 * len(below)))


def coverage_at(scores: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """The largest share above a threshold of which this share is right."""
    order = np.argsort(-scores, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # A threshold cannot part equal scores.
    whole = np.append(np.diff(scores[order]) != 0, True)[: len(order)]
    good = np.flatnonzero((share >= precision) & whole)
    return float((good[-1] + 1) / len(order)) if len(good) else 0.0


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error over equal bins."""
    if not len(confidence):
        return 0.0
    of_bin = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (of_bin == one).mean() * abs(confidence[of_bin == one].mean() - right[of_bin == one].mean())
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
        ("Tells right from wrong (AUROC)", scores.auroc_right),
        ("Could be answered alone, 2 % wrong", scores.coverage_98),
        ("Could be answered alone, 5 % wrong", scores.coverage_95),
        ("Calibration error", scores.calibration_error),
        (f"Answered alone at threshold {scores.threshold:g}", scores.coverage),
        ("Right among those", scores.precision),
    ):
        yield label, "-" if share is None else f"{share:.1%}"


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)
    except (OSError, ValueError) as error:
        raise InvalidError(f"{path.name} cannot be read: {error}") from error


def _faqs(path: Path, phrasings: int) -> Iterator[tuple[str, ParsedChunk]]:
    for row in _rows(path):
        alternatives = tuple(row.get("alternatives", ()))[:phrasings]
        yield row["id"], ParsedChunk(ChunkKind.FAQ, row["question"], row.get("answer", ""), alternatives)


def _queries(path: Path) -> Iterator[Question]:
    for row in _rows(path):
        if row.get("split") != "train":
            yield Question(row["query"], frozenset([row["faq_id"]] if row.get("faq_id") else []))


def _passages(folder: Path) -> Iterator[tuple[str, ParsedChunk]]:
    for row in _rows(folder / "passages.jsonl"):
        yield row["id"], ParsedChunk(ChunkKind.PASSAGE, row.get("title", ""), row["text"])


def _tasks(folder: Path) -> Iterator[Question]:
    """Conversations: the last two customer texts are the question."""
    for row in _rows(folder / "tasks.jsonl"):
        said = [line["text"] for line in row.get("history", ()) if line["speaker"] == "user"]
        answerable = row.get("answerability") in {"ANSWERABLE", "PARTIAL"}
        expected = frozenset(row.get("gold_passage_ids", ())) if answerable else frozenset[str]()
        yield Question("\n".join([*said[-1:], row["query"]]), expected)
