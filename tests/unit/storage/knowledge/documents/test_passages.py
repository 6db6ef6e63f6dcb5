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


def titles(text: str, name: str = "a.md") -> list[str]:
    """What the passages of a page are called, below the page's own name."""
    return [chunk.title.removeprefix(f"a{PATH_SEPARATOR}") for chunk in read(name, text.encode()).chunks]


def test_a_heading_ends_those_of_its_own_level_and_below() -> None:
    text = "# A\n\n1\n\n### B\n\n2\n\n## C\n\n3\n\n## D\n\n4\n\n# E\n\n5\n"
    paths = [("A",), ("A", "B"), ("A", "C"), ("A", "D"), ("E",)]
    # The page is called "a", as its first heading: that is said once.
    assert titles(text, "page.md") == [PATH_SEPARATOR.join(("page", *path)) for path in paths]


def test_a_heading_is_its_words_without_pictures_marks_and_addresses() -> None:
    assert titles("# The  `run` ![logo](x.png) [guide](https://x.example)\n\nText.\n") == ["The run guide"]


@pytest.mark.parametrize(
    ("name", "title"), [("--- .md", "Untitled"), ("docs/how__to-do  it.en.md", "how to do it.en"), ("_a_.md", "a")]
)
def test_a_page_is_called_by_the_words_of_its_file(name: str, title: str) -> None:
    assert [chunk.title for chunk in read(name, b"Text.").chunks] == [title]


@pytest.mark.parametrize(
    ("matter", "title"),
    [("title: The   Manual", "The Manual"), ("title: 7", "a"), ("- title", "a"), ("layout: x", "a")],
)
def test_only_a_text_is_a_title(matter: str, title: str) -> None:
    (chunk,) = read("a.md", f"---\n{matter}\n---\nText.\n".encode()).chunks
    assert (chunk.title, chunk.text) == (title, "Text.")


def test_the_address_of_the_front_matter_comes_before_a_first_line_that_is_one() -> None:
    address = "https://x.example/page"
    (chunk,) = read("a.md", f"---\nurl: {address}\n---\nhttps://y.example\n".encode()).chunks
    assert (chunk.url, chunk.text) == (address, "https://y.example")


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
def test_a_first_line_that_is_an_address_is_the_page_s_own(name: str) -> None:
    (chunk,) = read(name, b"https://x.example/page\n\nText.\n").chunks
    assert (chunk.url, chunk.text) == ("https://x.example/page", "Text.")


def test_a_text_is_parted_at_empty_lines_even_with_blanks_in_them() -> None:
    first, second = "a" * 600, "b" * 600
    assert [chunk.text for chunk in read("a.txt", f"{first}\n \t\n{second}\n".encode()).chunks] == [first, second]


def test_rules_and_comments_are_left_out_and_other_html_is_kept() -> None:
    (chunk,) = read("a.md", b"One.\n\n***\n\n <!-- hidden -->\n\n<p>Two.</p>\n").chunks
    assert chunk.text == "One.\n\n<p>Two.</p>"


def test_a_list_is_one_block_as_it_is_written() -> None:
    text = "1. one\n   - inner\n\n2. two\n\n> quoted\n"
    (chunk,) = read("a.md", text.encode()).chunks
    assert chunk.text == "1. one\n   - inner\n\n2. two\n\n> quoted"


def test_indented_code_is_kept_whole_too_with_its_indent() -> None:
    code = "\n".join(f"    line {number}" for number in range(100))
    assert SIZE < len(code) < MAX_BLOCK
    assert [chunk.text for chunk in read("a.md", f"Before.\n\n{code}\n".encode()).chunks] == ["Before.", code]


def test_long_code_is_broken_between_its_lines() -> None:
    line = "do this; and that. " * 4
    parts = read("a.md", f"```\n{(line.strip() + chr(10)) * 60}```\n".encode()).chunks
    assert len(parts) > 1
    assert all(part.text.endswith(("that.", "```")) and len(part.text) <= SIZE for part in parts)


def test_a_table_is_broken_when_another_row_would_not_fit() -> None:
    header, row = "| aa | b |\n| --- | --- |", f"\n| {'x' * 66} | y |"[:71] + " |"
    fits = (SIZE - len(header)) // len(row)
    assert len(header) + fits * len(row) == SIZE
    parts = read("a.md", (header + row * 4 * fits).encode()).chunks
    assert [part.text.count("\n") - 1 for part in parts] == [fits] * 4


def test_a_row_longer_than_any_block_is_cut() -> None:
    header = "| a |\n| --- |"
    (chunk,) = read("a.md", f"{header}\n| {'x' * (MAX_BLOCK + 9)} |\n".encode()).chunks
    assert chunk.text == f"{header}\n| {'x' * (MAX_BLOCK - 2)}"
