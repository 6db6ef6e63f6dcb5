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


def test_the_delimiter_is_the_one_that_parts_question_and_answer_whatever_else_the_header_says() -> None:
    header = "question;answer;tags, of any, kind, that, you, like"
    (entry,) = read("faq.csv", f"{header}\nHow?;So.;x\n".encode()).chunks
    assert (entry.title, entry.text) == ("How?", "So.")


@pytest.mark.parametrize(
    "column", ["alternatives", "Alternative", "alternative questions", "ALTERNATIVE_Questions", "phrasings"]
)
def test_a_column_of_alternatives_goes_by_several_names(column: str) -> None:
    (entry,) = read("faq.csv", f"question,answer,{column}\nHow?,So.,Which way?\n".encode()).chunks
    assert entry.alternatives == ("Which way?",)
    (named,) = read("faq.json", json.dumps([{"Question": "How?", "answer": "So.", column: ["Why?"]}]).encode()).chunks
    assert named.alternatives == ("Why?",)


@pytest.mark.parametrize("column", ["tags", "Tag"])
def test_a_column_of_tags_goes_by_two_names(column: str) -> None:
    (entry,) = read("faq.csv", f"question,answer,{column}\nHow?,So.,a|b\n".encode()).chunks
    assert entry.tags == ("a", "b")


def test_an_entry_without_alternatives_and_tags_has_none() -> None:
    (entry,) = read("faq.csv", b"question,answer,alternatives,tags\nHow?,So.\n").chunks
    assert (entry.alternatives, entry.tags, entry.url) == ((), (), "")


def test_an_entry_keeps_its_address_and_the_lines_of_its_answer() -> None:
    text = 'question,answer,url\n"How\n do I?"," One.\n\nTwo. ",https://x.example/faq\n'
    (entry,) = read("faq.csv", text.encode()).chunks
    assert (entry.title, entry.text, entry.url) == ("How do I?", "One.\n\nTwo.", "https://x.example/faq")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("answer", "The column question is missing. Found: answer."),
        ("frage;antwort", "The column question and answer is missing. Found: frage, antwort."),
        (",,", "The column question and answer is missing. Found: ,,."),
    ],
)
def test_what_the_first_row_has_is_told(header: str, message: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read("faq.csv", f"{header}\n".encode())
    assert message in str(caught.value)


def test_a_long_first_row_is_told_in_part() -> None:
    with pytest.raises(InvalidError, match=r"Found: x{200}\. Needed"):
        read("faq.csv", b"x" * 300)


def test_a_table_that_breaks_off_names_the_last_row_that_was_read() -> None:
    with pytest.raises(InvalidError, match="after row 3: "):
        read("faq.csv", b'question,answer\nA?,a\nB?,b\nC?,"' + b"x" * 200_000)


def test_the_lines_of_json_are_counted_with_the_empty_ones() -> None:
    lines = [json.dumps(ENTRY), "", "not json", json.dumps({**ENTRY, "question": "HOW?"})]
    refused = read("faq.jsonl", "\n".join(lines).encode()).refused
    assert [(row.row, row.reason) for row in refused] == [
        (3, 'This is not an object with "question" and "answer".'),
        (4, "The same question as in row 1."),
    ]


def test_objects_one_a_line_need_not_begin_the_file() -> None:
    assert len(read("faq.json", f"\n\n {json.dumps(ENTRY)} \n{{}}".encode()).chunks) == 1


def test_json_that_breaks_off_says_where() -> None:
    with pytest.raises(InvalidError, match=r"not valid JSON: .*line 1 column"):
        read("faq.json", b'[{"question": "How?"')


def test_json_of_another_shape_says_what_was_expected() -> None:
    with pytest.raises(InvalidError, match='Expected a list of objects with "question" and "answer"'):
        read("faq.json", b'{"faqs": {"question": "How?"}}')


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"question": "How?", "answer": None}, "The answer is empty."),
        ({"question": " ", "answer": "So."}, "The question is empty."),
        ({"answer": "So."}, "The question is empty."),
        ({"question": "How?", "answer": ["So."]}, "The answer is not a text."),
        ({"title": "How?"}, 'This is not an object with "question" and "answer".'),
        ({"question": "How?", "answer": "So.", "tags": {}}, "The tags are neither a text nor a list of texts."),
        (
            {"question": "How?", "answer": "So.", "alternatives": ["Why?", None]},
            "The alternatives are neither a text nor a list of texts.",
        ),
    ],
)
def test_an_entry_that_cannot_be_used_says_why(entry: dict[str, object], reason: str) -> None:
    (refused,) = read("faq.json", json.dumps([entry]).encode()).refused
    assert (refused.row, refused.reason) == (1, reason)


@pytest.mark.parametrize(("length", "entries"), [(MAX_QUESTION, 1), (MAX_QUESTION + 1, 0)])
def test_an_alternative_may_be_just_as_long_as_a_question(length: int, entries: int) -> None:
    loaded = read("faq.csv", table(("q", "a", "w" * length, "")))
    assert len(loaded.chunks) == entries
    assert all(refused.reason.startswith("Too much: 200 alternatives of 1,000") for refused in loaded.refused)


def test_brackets_that_are_no_json_are_a_text() -> None:
    (entry,) = read("faq.csv", table(("How?", "So.", "[sic] Which way?", "[x"))).chunks
    assert (entry.alternatives, entry.tags) == (("[sic] Which way?",), ("[x",))
