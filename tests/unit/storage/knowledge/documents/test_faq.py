"""Tables and JSON become entries; rows that cannot be used are refused with their number and reason."""

import json

import pytest

from storage.errors import InvalidError
from storage.knowledge.documents.faq import MAX_ALTERNATIVES, MAX_ANSWER, MAX_QUESTION
from storage.knowledge.documents.readers import read
from storage.records import ChunkKind

CSV = 'question,answer,alternatives,tags\nHow?,"Like, this.",Which way?|In what manner?,a;b\n'


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        CSV.replace("question", " Question ").replace("answer,", "ANSWER,"),
        '\ufeffquestion;answer;alternatives;tags\nHow?;Like, this.;"Which way?\nIn what manner?";a,b\n',
        'tags\tanswer\talternatives\tquestion\na, b\tLike, this.\t["Which way?", "In what manner?"]\tHow?\n',
    ],
)
def test_a_table_is_read_whatever_its_delimiter_and_order(text: str) -> None:
    (entry,) = read("faq.csv", text.encode()).chunks
    assert (entry.kind, entry.title, entry.text) == (ChunkKind.FAQ, "How?", "Like, this.")
    assert entry.alternatives == ("Which way?", "In what manner?")
    assert entry.tags == ("a", "b")


def test_bad_rows_are_refused_with_the_number_that_a_spreadsheet_shows() -> None:
    text = f'question,answer\nA?,"two\nlines"\n\n,no question\nB?,\na?,again\nLong?,{"x" * 30_000}\nC?,fine\n'
    loaded = read("faq.csv", text.encode())
    assert [chunk.title for chunk in loaded.chunks] == ["A?", "C?"]
    reasons = {refused.row: refused.reason for refused in loaded.refused}
    assert reasons.keys() == {4, 5, 6, 7}
    assert reasons[4] == "The question is empty."
    assert reasons[5] == "The answer is empty."
    assert reasons[6] == "The same question as in row 2."
    assert "Too long" in reasons[7]


def test_missing_columns_are_named_with_what_was_found() -> None:
    with pytest.raises(InvalidError, match=r"answer is missing. Found: question, reply"):
        read("faq.csv", b"question,reply\na,b\n")


def test_a_quotation_mark_left_open_is_suspected() -> None:
    with pytest.raises(InvalidError, match="quotation mark left open"):
        read("faq.csv", b'question,answer\nA?,"never closed\n' + b"B?,x\n" * 40_000)


ENTRY = {"question": "How?", "answer": "So.", "alternatives": ["Which way?"], "tags": ["a"]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("faq.json", json.dumps([ENTRY])),
        ("faq.json", json.dumps({"faqs": [ENTRY]})),
        ("faq.json", json.dumps({"entries": [ENTRY]}, indent=2)),
        ("faq.json", json.dumps(ENTRY)),
        ("faq.json", json.dumps(ENTRY) + "\n" + json.dumps({**ENTRY, "question": "how?"})),
        ("faq.jsonl", json.dumps(ENTRY) + "\n\n"),
    ],
)
def test_json_is_read_in_its_usual_shapes(name: str, text: str) -> None:
    (entry,) = read(name, text.encode()).chunks
    assert (entry.title, entry.text, entry.alternatives, entry.tags) == ("How?", "So.", ("Which way?",), ("a",))


def test_json_entries_of_other_shapes_are_refused_one_by_one() -> None:
    values = [ENTRY, "text", {"question": ["a"], "answer": "b"}, {"question": "c", "answer": "d", "tags": {"e": 1}}]
    loaded = read("faq.json", json.dumps(values).encode())
    assert len(loaded.chunks) == 1
    assert [refused.row for refused in loaded.refused] == [2, 3, 4]


@pytest.mark.parametrize("text", ["{", '{"a": 1}', '"text"', "[" * 100_000])
def test_json_that_is_no_faq_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(InvalidError):
        read("faq.json", text.encode())


def table(*rows: tuple[str, ...]) -> bytes:
    lines = [",".join(f'"{cell}"' for cell in row) for row in (("question", "answer", "alternatives", "tags"), *rows)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(("length", "entries"), [(MAX_QUESTION, 1), (MAX_QUESTION + 1, 0)])
def test_a_question_may_be_just_so_long(length: int, entries: int) -> None:
    assert len(read("faq.csv", table(("q" * length, "a", "", ""))).chunks) == entries


@pytest.mark.parametrize(("length", "entries"), [(MAX_ANSWER, 1), (MAX_ANSWER + 1, 0)])
def test_an_answer_may_be_just_so_long(length: int, entries: int) -> None:
    assert len(read("faq.csv", table(("q", "a" * length, "", ""))).chunks) == entries


@pytest.mark.parametrize(("count", "entries"), [(MAX_ALTERNATIVES, 1), (MAX_ALTERNATIVES + 1, 0)])
def test_an_entry_may_have_just_so_many_alternatives(count: int, entries: int) -> None:
    alternatives = "|".join(f"way {number}" for number in range(count))
    assert len(read("faq.csv", table(("q", "a", alternatives, ""))).chunks) == entries


def test_the_question_itself_and_repetitions_are_no_alternatives() -> None:
    (entry,) = read("faq.csv", table(("How?", "So.", "HOW?|Which way?| which  way? |Why?", ""))).chunks
    assert entry.alternatives == ("Which way?", "Why?")


def test_tags_come_once_each_and_are_cut() -> None:
    (entry,) = read("faq.csv", table(("How?", "So.", "", f"a;b,a;;{'t' * 101}"))).chunks
    assert entry.tags == ("a", "b", "t" * 100)


def test_numbers_are_texts_too() -> None:
    (entry,) = read("faq.json", json.dumps({"question": 404, "answer": 1.5, "tags": [1, "b"]}).encode()).chunks
    assert (entry.title, entry.text, entry.tags) == ("404", "1.5", ("1", "b"))


def test_too_many_bad_rows_refuse_the_file_with_the_last_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.knowledge.documents.faq.MAX_REFUSED", 2)
    rows = table(*[("", "an answer", "", "")] * 2)
    assert len(read("faq.csv", rows).refused) == 2
    with pytest.raises(InvalidError, match=r"More than 2 rows .* The question is empty"):
        read("faq.csv", table(*[("", "an answer", "", "")] * 3))


def test_too_many_entries_refuse_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.knowledge.documents.faq.MAX_ENTRIES", 2)
    rows = [(f"q{number}", "a", "", "") for number in range(3)]
    assert len(read("faq.csv", table(*rows[:2])).chunks) == 2
    with pytest.raises(InvalidError, match="more than 2 entries"):
        read("faq.csv", table(*rows))
