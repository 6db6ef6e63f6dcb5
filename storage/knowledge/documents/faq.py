"""FAQ reader: a table or JSON row by row; good rows become entries, the others are refused with the reason."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from storage.errors import InvalidError
from storage.knowledge.documents.addresses import address_in
from storage.knowledge.documents.decoding import decode
from storage.knowledge.documents.parsed import ParsedChunk, ParsedFile
from storage.records import ChunkKind, RejectedRow

MAX_QUESTION = 1_000
MAX_ANSWER = 20_000
MAX_ALTERNATIVES = 200
MAX_ENTRIES = 200_000
MAX_REFUSED = 5_000
DELIMITERS = ",;\t"
COLUMNS = {
    "question": "question",
    "answer": "answer",
    "alternatives": "alternatives",
    "alternative": "alternatives",
    "alternative questions": "alternatives",
    "phrasings": "alternatives",
    "tags": "tags",
    "tag": "tags",
}
"""Accepted column names, lower case, and what they hold."""

Row = tuple[int, Mapping[str, Any]]
"""The row's number as people count it, and its values by column."""


class RowError(ValueError):
    """This row cannot be used."""


def read_csv(name: str, content: bytes) -> ParsedFile:  # noqa: ARG001 - every reader gets the file's name
    """A table with a header row: question, answer, and if you like alternatives, tags and url (or link, source)."""
    text = decode(content).lstrip("\n")
    header = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=lambda mark: _columns_found(header, mark))
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = [_column(cell) for cell in next(records, [])]
    _require_columns(columns, header)
    return _collect(_rows_of(records, columns))


def read_json(name: str, content: bytes) -> ParsedFile:
    """A list of objects, the same under `faqs` or `entries`, or one object per line."""
    text = decode(content)
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        return read_json_lines(name, content) if _looks_like_lines(text) else _refuse_json(error)
    if isinstance(values, dict):
        values = values.get("faqs", values.get("entries", [values] if "question" in values else None))
    if not isinstance(values, list):
        raise InvalidError('Expected a list of objects with "question" and "answer", or the same under "faqs".')
    return _collect(_objects(enumerate(values, start=1)))


def read_json_lines(name: str, content: bytes) -> ParsedFile:  # noqa: ARG001 - every reader gets the file's name
    """One object per line."""
    lines = enumerate(decode(content).split("\n"), start=1)
    return _collect(_objects((number, _parse_line(line)) for number, line in lines if line.strip()))


def _columns_found(header: str, delimiter: str) -> int:
    cells = next(csv.reader([header], delimiter=delimiter), [])
    return sum(_column(cell) in {"question", "answer"} for cell in cells) * 100 + len(cells)


def _column(cell: str) -> str:
    name = " ".join(cell.strip().lower().replace("_", " ").split())
    return COLUMNS.get(name, name)


def _require_columns(columns: list[str], header: str) -> None:
    missing = [name for name in ("question", "answer") if name not in columns]
    if missing:
        found = ", ".join(name for name in columns if name) or header[:80] or "nothing"
        raise InvalidError(
            f"The column {' and '.join(missing)} is missing. Found: {found[:200]}. Needed in the first row: "
            "question, answer (and, if you like, alternatives, tags, url)."
        )


def _rows_of(records: Iterator[list[str]], columns: list[str]) -> Iterator[Row]:
    number = 1
    try:
        for number, record in enumerate(records, start=2):
            if any(cell.strip() for cell in record):
                yield number, dict(zip(columns, record, strict=False))
    except csv.Error as error:
        raise InvalidError(
            f"The table cannot be read after row {number}: {error}. Is a quotation mark left open?"
        ) from error


def _looks_like_lines(text: str) -> bool:
    first = text.lstrip().partition("\n")[0].strip()
    return first.startswith("{") and first.endswith("}")


def _refuse_json(error: Exception) -> ParsedFile:
    raise InvalidError(f"This is not valid JSON: {error}") from error


def _parse_line(line: str) -> Any:
    try:
        return json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return None


def _objects(values: Iterable[tuple[int, Any]]) -> Iterator[Row]:
    for number, value in values:
        named = value if isinstance(value, dict) else {"": value}
        yield number, {_column(str(key)): item for key, item in named.items()}


def _collect(rows: Iterable[Row]) -> ParsedFile:
    chunks: list[ParsedChunk] = []
    refused: list[RejectedRow] = []
    seen: dict[str, int] = {}
    for number, values in rows:
        try:
            chunk = _entry(values)
            _refuse_repetition(chunk, number, seen)
        except RowError as error:
            refused.append(RejectedRow(number, str(error)))
            if len(refused) > MAX_REFUSED:
                raise InvalidError(f"More than {MAX_REFUSED:,} rows cannot be used; the last: {error}") from error
            continue
        if len(chunks) >= MAX_ENTRIES:
            raise InvalidError(f"The file has more than {MAX_ENTRIES:,} entries. Split it.")
        chunks.append(chunk)
    return ParsedFile(tuple(chunks), tuple(refused))


def _entry(values: Mapping[str, Any]) -> ParsedChunk:
    if not {"question", "answer"} & values.keys():
        raise RowError('This is not an object with "question" and "answer".')
    question = " ".join(_text(values, "question").split())
    answer = _text(values, "answer").strip()
    if not question or not answer:
        raise RowError(f"The {'answer' if question else 'question'} is empty.")
    if len(question) > MAX_QUESTION or len(answer) > MAX_ANSWER:
        raise RowError(
            f"Too long: a question may have {MAX_QUESTION:,} characters, an answer {MAX_ANSWER:,}. "
            "Is a quotation mark left open?"
        )
    alternatives = _alternatives(values.get("alternatives"), question)
    return ParsedChunk(ChunkKind.FAQ, question, answer, alternatives, _tags(values.get("tags")), address_in(values))


def _text(values: Mapping[str, Any], column: str) -> str:
    value = values.get(column)
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return str(value)
    raise RowError(f"The {column} is not a text.")


def _alternatives(value: Any, question: str) -> tuple[str, ...]:
    """A list, or one text with `|`, newlines or a JSON list; the question itself and repetitions are left out."""
    texts = [" ".join(item.split()) for item in _items(value, r"[|\n]", "alternatives")]
    kept = {item.casefold(): item for item in reversed(texts) if item and item.casefold() != question.casefold()}
    if len(kept) > MAX_ALTERNATIVES or any(len(item) > MAX_QUESTION for item in kept.values()):
        raise RowError(f"Too much: {MAX_ALTERNATIVES} alternatives of {MAX_QUESTION:,} characters each are accepted.")
    return tuple(reversed(kept.values()))


def _tags(value: Any) -> tuple[str, ...]:
    tags = (" ".join(item.split())[:100] for item in _items(value, "[;,|\n]", "tags"))
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def _items(value: Any, separators: str, column: str) -> list[str]:
    if isinstance(value, str) and value.strip().startswith("["):
        value = _parse_line(value.strip()) or value
    if isinstance(value, str):
        return re.split(separators, value)
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return [str(item) for item in value]
    raise RowError(f"The {column} are neither a text nor a list of texts.")


def _refuse_repetition(chunk: ParsedChunk, number: int, seen: dict[str, int]) -> None:
    first = seen.setdefault(chunk.title.casefold(), number)
    if first != number:
        raise RowError(f"The same question as in row {first}.")
