"""Offline evaluation: every question of a labelled dataset is asked of the real search."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from graph.confidence import assess
from graph.evaluation.dataset import Dataset, Question, load_dataset
from graph.evaluation.measures import EvaluationScores, QuestionResult, measure
from storage.embeddings.protocol import Embedder
from storage.knowledge.documents.parsed import ParsedFile
from storage.knowledge.search import Knowledge
from storage.opening import migrate_database, open_store
from storage.settings import Settings
from storage.store import KnowledgeStore

WORKSPACE = "evaluation"
EVALUATED_HITS = 10
"""Hits looked at; an expected one behind them counts as not found."""
ASSESSED_HITS = 5
"""Hits that the confidence sees, as in the graph."""


def evaluate_folder(folder: Path, embedder: Embedder, threshold: float = 0.65) -> EvaluationScores:
    """Load the set in a folder, ask every question, measure. Blocking. Raises InvalidError."""
    return measure(folder.name, asyncio.run(evaluate_dataset(load_dataset(folder), embedder)), threshold)


async def evaluate_dataset(dataset: Dataset, embedder: Embedder) -> tuple[QuestionResult, ...]:
    """Ask every question of a desk that knows the set's entries and nothing else."""
    with TemporaryDirectory(prefix="deskhand-evaluation-") as folder:
        settings = Settings(data_dir=Path(folder))
        await migrate_database(settings)
        async with open_store(settings, embedder) as store:
            await store.accounts.workspaces.create(WORKSPACE, "Evaluation")
            return await _ask_all(store.knowledge, dataset)


async def _ask_all(knowledge: KnowledgeStore, dataset: Dataset) -> tuple[QuestionResult, ...]:
    parsed = ParsedFile(tuple(chunk for _, chunk in dataset.entries))
    await knowledge.catalogue.store(WORKSPACE, dataset.name, parsed)
    ids = [entry_id for entry_id, _ in dataset.entries]
    return tuple([await _ask(knowledge.index, question, ids) for question in dataset.questions])


async def _ask(knowledge: Knowledge, question: Question, ids: Sequence[str]) -> QuestionResult:
    hits = await knowledge.search(WORKSPACE, question.text, EVALUATED_HITS)
    found = [ids[hit.chunk.position] in question.expected for hit in hits]
    confidence, _ = assess(question.text, hits[:ASSESSED_HITS])
    return QuestionResult(question, hits, found.index(True) + 1 if any(found) else 0, confidence)
