"""Long texts are cut at the best place that there is, and nothing of them is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.knowledge.documents.splitting import LINE_ENDS, SENTENCE_ENDS, split_text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("short", ["short"]),
        ("one two\n\nthree four", ["one two", "three four"]),
        ("one two\nthree four", ["one two", "three four"]),
        ("One two. Three four", ["One two.", "Three four"]),
        ("one two, three four", ["one two,", "three four"]),
        ("one two three", ["one two", "three"]),
        ("abcdefghijklmno", ["abcdefghij", "klmno"]),
        ("a b c\n\nd e f g h i j k", ["a b c", "d e f g h", "i j k"]),
        ("a b\n\nc d\n\ne f", ["a b\n\nc d", "e f"]),
        ("  \n\n  ", []),
        ("", []),
    ],
)
def test_the_coarsest_separator_that_occurs_is_the_one(text: str, parts: list[str]) -> None:
    assert split_text(text, 10) == parts


def test_lines_are_kept_whole_where_sentences_mean_nothing() -> None:
    assert split_text("a. b. c.\nd. e. f.", 10, LINE_ENDS) == ["a. b. c.", "d. e. f."]


@pytest.mark.parametrize(("size", "parts"), [(7, ["one two"]), (6, ["one", "two"])])
def test_a_part_may_be_just_as_long_as_the_size(size: int, parts: list[str]) -> None:
    assert split_text("one two", size) == parts


@given(st.text(alphabet="ab .,!\n…", max_size=300), st.integers(2, 40), st.sampled_from([SENTENCE_ENDS, LINE_ENDS]))
def test_nothing_but_white_space_is_lost_and_no_part_is_too_long(text: str, size: int, ends: tuple[str, ...]) -> None:
    parts = split_text(text, size, ends)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(0 < len(part) <= size for part in parts)
