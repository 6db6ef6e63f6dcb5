"""Markdown and plain text become passages under their headings, cut where a reader would."""

import pytest

from storage.errors import InvalidError
from storage.knowledge.documents.passages import MAX_BLOCK, MAX_TITLE, PATH_SEPARATOR, SIZE
from storage.knowledge.documents.readers import read


def test_headings_become_the_path_and_front_matter_the_title() -> None:
    matter = "---\ntitle: The Manual\nlayout: x\n---\nIntro.\n\n"
    text = matter + "# Setup\n\n## Linux *and* BSD\n\nRun it.\n\nWindows\n-------\n\nClick it.\n"
    chunks = read("manual.md", text.encode()).chunks
    assert [(chunk.title, chunk.text) for chunk in chunks] == [
        ("The Manual", "Intro."),
        (PATH_SEPARATOR.join(["The Manual", "Setup", "Linux and BSD"]), "Run it."),
        (PATH_SEPARATOR.join(["The Manual", "Setup", "Windows"]), "Click it."),
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
    assert SIZE < len(code) < MAX_BLOCK
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


@pytest.mark.parametrize(("length", "passages"), [(SIZE, 1), (SIZE + 1, 2)])
def test_a_paragraph_may_be_just_as_long_as_a_passage(length: int, passages: int) -> None:
    text = "word " * (length // 5) + "x" * (length % 5)
    assert len(read("a.txt", (text[:-1] + "x").encode()).chunks) == passages


@pytest.mark.parametrize(("length", "passages"), [(MAX_BLOCK, 1), (MAX_BLOCK + 1, 4)])
def test_a_block_of_code_is_broken_only_when_it_is_longer_than_most(length: int, passages: int) -> None:
    lines = "x" * 9 + "\n"
    code = "```\n" + lines * ((length - 7) // 10) + "y" * ((length - 7) % 10 - 1) + "\n```"
    assert len(code) == length
    assert len(read("a.md", code.encode()).chunks) == passages


def test_short_paragraphs_under_one_heading_are_one_passage_and_under_two_are_two() -> None:
    together = read("a.md", b"# One\n\nFirst.\n\nSecond.\n\n# Two\n\nThird.\n").chunks
    assert [chunk.text for chunk in together] == ["First.\n\nSecond.", "Third."]


@pytest.mark.parametrize(("second", "passages"), [(SIZE - 102, 1), (SIZE - 101, 2)])
def test_paragraphs_are_joined_as_long_as_they_fit_with_the_line_between(second: int, passages: int) -> None:
    assert len(read("a.txt", f"{'a' * 100}\n\n{'b' * second}".encode()).chunks) == passages


def test_a_heading_that_repeats_the_title_is_said_once_and_long_paths_are_cut() -> None:
    text = f"---\ntitle: Setup\n---\n# SETUP\n\n## {'h' * 300}\n\nText.\n"
    (chunk,) = read("a.md", text.encode()).chunks
    assert chunk.title == f"SETUP{PATH_SEPARATOR}{'h' * 300}"[:MAX_TITLE]


def test_broken_front_matter_is_left_out() -> None:
    (chunk,) = read("a.md", b"---\ntitle: [\n---\nText.\n").chunks
    assert (chunk.title, chunk.text) == ("a", "Text.")


def test_a_file_without_text_and_one_with_too_much_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidError, match="no text"):
        read("a.md", b"# Only a heading\n")
    monkeypatch.setattr("storage.knowledge.documents.passages.MAX_PASSAGES", 2)
    assert len(read("a.md", b"# A\n\na\n\n# B\n\nb\n").chunks) == 2
    with pytest.raises(InvalidError, match="more than 2 passages"):
        read("a.md", b"# A\n\na\n\n# B\n\nb\n\n# C\n\nc\n")
