"""Labelled datasets are read from a folder, or refused."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from graph.evaluation.dataset import Question, load_dataset
from storage.errors import InvalidError


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


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


def test_questions_of_the_split_to_learn_from_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "faqs.jsonl", [{"id": "a", "question": "q", "answer": "x"}])
    write(
        tmp_path / "queries.jsonl",
        [{"query": "asked", "faq_id": "a"}, {"query": "learned", "faq_id": "a", "split": "train"}, {"query": "else"}],
    )
    assert load_dataset(tmp_path).questions == (Question("asked", frozenset(["a"])), Question("else", frozenset()))


def test_a_task_asks_with_the_customer_s_last_text_and_expects_nothing_when_it_cannot_be_answered(
    tmp_path: Path,
) -> None:
    write(tmp_path / "passages.jsonl", [{"id": "p", "text": "Cats sleep."}])
    history = [
        {"speaker": "user", "text": "first"},
        {"speaker": "agent", "text": "no"},
        {"speaker": "user", "text": "cats?"},
    ]
    rows = [
        {"history": history, "query": "Do they sleep?", "gold_passage_ids": ["p"], "answerability": level}
        for level in ("PARTIAL", "UNANSWERABLE")
    ]
    write(tmp_path / "tasks.jsonl", rows)
    assert load_dataset(tmp_path).questions == (
        Question("cats?\nDo they sleep?", frozenset(["p"])),
        Question("cats?\nDo they sleep?", frozenset()),
    )


def test_entries_with_phrasings_come_before_those_without(tmp_path: Path) -> None:
    write(tmp_path / "faqs.jsonl", [{"id": "plain", "question": "q"}])
    write(tmp_path / "queries.jsonl", [])
    assert [name for name, _ in load_dataset(tmp_path).entries] == ["plain"]
    write(tmp_path / "faqs_from_train.jsonl", [{"id": "rich", "question": "q", "answer": "x"}])
    loaded = load_dataset(tmp_path)
    assert loaded.name == tmp_path.name
    ((name, entry),) = loaded.entries
    assert (name, entry.title, entry.text, entry.alternatives) == ("rich", "q", "x", ())


def test_passages_come_before_entries_and_need_no_title(tmp_path: Path) -> None:
    write(tmp_path / "faqs.jsonl", [{"id": "plain", "question": "q"}])
    write(tmp_path / "passages.jsonl", [{"id": "p", "text": "Cats sleep."}, {"id": "q", "title": "Tax", "text": "."}])
    write(tmp_path / "tasks.jsonl", [{"query": "Why?", "gold_passage_ids": ["p"], "answerability": "ANSWERABLE"}])
    loaded = load_dataset(tmp_path)
    assert [(entry.kind, entry.title) for _, entry in loaded.entries] == [("passage", ""), ("passage", "Tax")]
    assert loaded.questions == (Question("Why?", frozenset(["p"])),)
