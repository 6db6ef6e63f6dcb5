"""Files become entries and passages; what cannot be used is refused with its row and reason."""

import json

import pytest

from storage.errors import InvalidError
from storage.knowledge.documents.passages import ARROW, SIZE, WHOLE
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_accents_survive_the_encodings_that_spreadsheets_write(encoding: str) -> None:
    text = "question;answer\nWie ändere ich die Größe?;Über „Profil“ für 5 €.\n"
    (entry,) = read("faq.csv", text.encode(encoding)).chunks
    assert entry.title == "Wie ändere ich die Größe?"
    assert entry.text == "Über „Profil“ für 5 €."


@pytest.mark.parametrize(
    "content", ["question,answer\nЖизнь,Любви\n".encode("cp1251"), b"question,answer\n\x00\x01,x\n"]
)
def test_other_encodings_are_refused_instead_of_guessed(content: bytes) -> None:
    with pytest.raises(InvalidError, match="UTF-8"):
        read("faq.csv", content)


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


def test_headings_become_the_path_and_front_matter_the_title() -> None:
    matter = "---\ntitle: The Manual\nlayout: x\n---\nIntro.\n\n"
    text = matter + "# Setup\n\n## Linux *and* BSD\n\nRun it.\n\nWindows\n-------\n\nClick it.\n"
    chunks = read("manual.md", text.encode()).chunks
    assert [(chunk.title, chunk.text) for chunk in chunks] == [
        ("The Manual", "Intro."),
        (ARROW.join(["The Manual", "Setup", "Linux and BSD"]), "Run it."),
        (ARROW.join(["The Manual", "Setup", "Windows"]), "Click it."),
    ]


def test_a_page_without_front_matter_is_called_after_its_file() -> None:
    (chunk,) = read("how-to_install.md", b"Just text.\n\n---\n\n<!-- a comment -->").chunks
    assert (chunk.title, chunk.text) == ("how to install", "Just text.")


def test_long_texts_are_cut_between_sentences() -> None:
    sentence = "This sentence says something that somebody may need to know one day. "
    chunks = read("long.txt", (sentence * 60).encode()).chunks
    assert len(chunks) > 3
    assert all(len(chunk.text) <= SIZE and chunk.text.endswith("day.") for chunk in chunks)
    assert " ".join(chunk.text for chunk in chunks) == (sentence * 60).strip()


def test_code_is_not_broken_and_headings_in_it_are_no_headings() -> None:
    code = "```bash\n" + "# not a heading\nrun --this\n" * 60 + "```"
    assert SIZE < len(code) < WHOLE
    (before, block, after) = read("code.md", f"Before.\n\n{code}\n\nAfter.".encode()).chunks
    assert (before.text, block.text, after.text) == ("Before.", code, "After.")


def test_a_table_stays_whole_if_it_fits_and_keeps_its_header_if_not() -> None:
    header = "| a | b |\n| --- | --- |\n"
    (small,) = read("table.md", (header + "| 1 | 2 |\n" * 20).encode()).chunks
    assert small.text.startswith(header)
    large = read("table.md", (header + "| 1 | 2 |\n" * 2000).encode()).chunks
    assert len(large) > 10
    assert all(chunk.text.startswith(header) and len(chunk.text) <= SIZE for chunk in large)
    assert sum(chunk.text.count("| 1 | 2 |") for chunk in large) == 2000


def test_an_unknown_extension_is_told_what_is_accepted() -> None:
    with pytest.raises(InvalidError, match=r"`\.exe` are not accepted; accepted: \.csv, .*\.md"):
        read("setup.exe", b"MZ")


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.md", "a.txt", "a.jsonl"])
@pytest.mark.parametrize("content", [b"", b"  \n \n"])
def test_an_empty_file_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(InvalidError, match="empty"):
        read(name, content)
