"""A labelled set is measured by the real search, and the measures are what they say."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from graph.evaluation.dataset import load_dataset
from graph.evaluation.measures import auroc, calibration_error, coverage_at_precision
from graph.evaluation.runner import evaluate_folder
from storage.embeddings.protocol import Embedder
from storage.errors import InvalidError

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


def test_fewer_phrasings_can_be_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "faqs_from_train.jsonl", [{"id": "a", "question": "q", "alternatives": ["x", "y", "z"]}])
    write(tmp_path / "queries.jsonl", [])
    assert load_dataset(tmp_path, phrasings=2).entries[0][1].alternatives == ("x", "y")


@pytest.mark.parametrize("text", [None, "not json\n"])
def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path, text: str | None) -> None:
    if text:
        (tmp_path / "faqs.jsonl").write_text(text)
    with pytest.raises(InvalidError, match="cannot be read"):
        load_dataset(tmp_path)


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
