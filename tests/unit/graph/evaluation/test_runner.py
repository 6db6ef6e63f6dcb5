"""A labelled set is measured by the real search, and the measures are what they say."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from graph.evaluation.runner import evaluate_folder
from storage.embeddings.protocol import Embedder

pytest_plugins = ["tests.support.model_fixtures"]


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def faqs(tmp_path: Path) -> Path:
    write(
        tmp_path / "faqs.jsonl",
        [
            {"id": "reset", "question": "How do I reset my password?", "answer": "Click the link."},
            {"id": "bills", "question": "Where are my invoices?", "answer": "Under Billing."},
        ],
    )
    write(
        tmp_path / "queries.jsonl",
        [
            {"query": "reset my password", "faq_id": "reset", "split": "test"},
            {"query": "where can I see my invoices", "faq_id": "bills", "split": "test"},
            {"query": "what is the weather in Paris", "faq_id": None, "split": "test"},
            {"query": "a question to learn from", "faq_id": "bills", "split": "train"},
        ],
    )
    return tmp_path


def test_a_folder_of_questions_is_measured(faqs: Path, embedder: Embedder) -> None:
    scores = evaluate_folder(faqs, embedder)
    assert (scores.questions, scores.recall_1, scores.reciprocal_rank, scores.auroc) == (3, 1, 1, 1)
    assert scores.coverage_98 == pytest.approx(2 / 3)
    assert "Right entry first" in scores.__rich__()


def test_a_folder_of_passages_is_measured(tmp_path: Path, embedder: Embedder) -> None:
    write(
        tmp_path / "passages.jsonl", [{"id": "p", "title": "Cats", "text": "Cats sleep."}, {"id": "q", "text": "Tax."}]
    )
    line = {"speaker": "user", "text": "Tell me about cats"}
    write(
        tmp_path / "tasks.jsonl",
        [{"history": [line], "query": "Do they sleep?", "gold_passage_ids": ["p"], "answerability": "ANSWERABLE"}],
    )
    scores = evaluate_folder(tmp_path, embedder)
    assert (scores.questions, scores.recall_1, scores.auroc) == (1, 1, None)
