"""Labelled datasets: knowledge and questions, each with the entries that answer it, read from a folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import InvalidError
from storage.knowledge.documents.parsed import ParsedChunk
from storage.records import ChunkKind


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


def load_dataset(folder: Path, phrasings: int = 20) -> Dataset:
    """The set in a folder; questions of a split named `train` are left out.

    `faqs.jsonl`, or `faqs_from_train.jsonl` with alternatives, and `queries.jsonl`; or `passages.jsonl` and
    `tasks.jsonl`. Raises InvalidError for anything else.
    """
    if (folder / "passages.jsonl").is_file():
        return Dataset(folder.name, tuple(_passages(folder)), tuple(_tasks(folder)))
    with_phrasings = folder / "faqs_from_train.jsonl"
    faqs = with_phrasings if with_phrasings.is_file() else folder / "faqs.jsonl"
    return Dataset(folder.name, tuple(_faqs(faqs, phrasings)), tuple(_queries(folder / "queries.jsonl")))


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
