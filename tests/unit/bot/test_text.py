"""Texts as the chat platforms take them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.mrkdwn import escape_mrkdwn, to_mrkdwn
from bot.text import neutralise_mentions, pluralise, split

LIMIT = 200


def test_a_short_text_stays_whole_and_an_empty_one_gives_nothing() -> None:
    assert split("  hello  ", LIMIT) == ["hello"]
    assert split(" \n ", LIMIT) == []


def test_a_long_text_is_cut_between_paragraphs_first() -> None:
    first, second = "One sentence. " * 10, "Another sentence. " * 6
    assert split(f"{first}\n\n{second}", LIMIT) == [first.strip(), second.strip()]


def test_a_long_line_is_cut_between_sentences_and_then_between_words() -> None:
    pieces = split("This is a sentence. " * 30, LIMIT)
    assert all(piece.endswith("sentence.") for piece in pieces)
    assert all(piece.endswith("word") for piece in split("word " * 100, LIMIT))


def test_a_code_block_that_must_be_cut_is_closed_and_opened_again() -> None:
    code = "\n".join(f"line {n}" for n in range(100))
    pieces = split(f"Look:\n\n```python\n{code}\n```\n\nDone.", LIMIT)
    assert all(piece.count("```") % 2 == 0 for piece in pieces)
    assert all(piece.startswith(("Look", "```python")) for piece in pieces)
    assert re.findall(r"line \d+", "\n".join(pieces)) == code.splitlines()


def test_a_code_block_that_fits_is_moved_rather_than_cut() -> None:
    code = "```\n" + "x = 1\n" * 10 + "```"
    assert code in split("Words and words. " * 9 + "\n\n" + code, LIMIT)


@given(st.text(alphabet="ab.`~ \n", max_size=900) | st.text(max_size=600))
def test_no_piece_is_longer_than_the_limit_and_no_letter_is_lost(text: str) -> None:
    pieces = split(text, LIMIT)
    assert all(0 < len(piece) <= LIMIT for piece in pieces)
    kept = [character for character in text if character in "ab"]
    if "`" not in text and "~" not in text:
        assert [character for piece in pieces for character in piece if character in "ab"] == kept


@given(st.text(max_size=60))
def test_splitting_ends_whatever_a_code_block_calls_its_language(language: str) -> None:
    assert split(f"```{language * 10}\n" + "x" * 900, LIMIT)


@pytest.mark.parametrize(
    ("markdown", "mrkdwn"),
    [
        ("**bold** and *italic* and ~~gone~~", "*bold* and _italic_ and ~gone~"),
        ("# Title *here*", "*Title _here_*"),
        ("[a & b](https://x.example/?p=1&q=2)", "<https://x.example/?p=1&amp;q=2|a &amp; b>"),
        ("[tricky](https://x.example/a|b)", "<https://x.example/a%7Cb|tricky>"),
        ("[click](javascript:alert(1))", "[click](javascript:alert(1))"),
        ("1. one\n2. two\n   - inner", "1. one\n2. two\n    ◦ inner"),
        ("- a\n- b", "• a\n• b"),
        ("> said\n> so", "> said\n> so"),
        ("`a < b`", "`a &lt; b`"),
        ("```py\nx < 1\n```", "```\nx &lt; 1\n```"),
        ("a\nb\n\nc", "a\nb\n\nc"),
        ("| a | b |\n|---|---|\n| 1 | 22 |", "```\na  b\n1  22\n```"),
        ("![a picture](https://x.example/p.png)", "<https://x.example/p.png|a picture>"),
        ("---", "———"),
        ("Settings > Export & more", "Settings &gt; Export &amp; more"),
    ],
)
def test_markdown_becomes_mrkdwn(markdown: str, mrkdwn: str) -> None:
    assert to_mrkdwn(markdown) == mrkdwn


@pytest.mark.parametrize(
    "unsafe",
    ["<!channel>", "<!here>", "<@U123>", "<!subteam^S1>", "@here now", "`<!everyone>`", "[x](<!channel>)", "<#C1>"],
)
def test_no_text_can_call_anybody_on_slack(unsafe: str) -> None:
    for made in (to_mrkdwn(unsafe), escape_mrkdwn(unsafe)):
        assert not re.search(r"<[!@#]|@(here|channel|everyone)", made)


def test_defused_mentions_read_the_same_and_call_nobody() -> None:
    for unsafe in ("@everyone look", "@here", "<@123>", "<@&9>"):
        made = neutralise_mentions(unsafe)
        assert made != unsafe
        assert made.replace("\u200b", "") == unsafe


@given(st.text(max_size=300))
def test_any_text_becomes_mrkdwn_without_control_sequences(text: str) -> None:
    assert not re.search(r"<(?!https?://|mailto:)", to_mrkdwn(text), re.IGNORECASE)


@pytest.mark.parametrize(("length", "pieces"), [(LIMIT, 1), (LIMIT + 1, 2)])
def test_a_text_without_any_break_is_cut_at_the_limit(length: int, pieces: int) -> None:
    made = split("x" * length, LIMIT)
    assert len(made) == pieces
    assert (len(made[0]), "".join(made)) == (LIMIT, "x" * length)


def test_a_break_just_at_the_limit_is_used() -> None:
    assert split(f"{'a' * 14} {'b' * 15} {'c' * 30}", 30) == [f"{'a' * 14} {'b' * 15}", "c" * 30]


@pytest.mark.parametrize(("before", "first"), [(10, "a" * 10), (9, "a" * 9 + "\n" + "b" * 20)])
def test_a_break_in_the_first_third_is_too_early(before: int, first: str) -> None:
    assert split(f"{'a' * before}\n{'b' * 30}", 30)[0] == first


@pytest.mark.parametrize("breaks", ["\n\n", "\n", ". ", " "])
def test_a_better_break_is_used_though_a_worse_one_is_later(breaks: str) -> None:
    worse = {"\n\n": "\n", "\n": ". ", ". ": " ", " ": ""}[breaks]
    first = "a" * 15 + breaks.rstrip()
    assert split(f"{'a' * 15}{breaks}{'b' * 10}{worse}{'c' * 20}", 30)[0] == first.rstrip()


def test_the_next_piece_keeps_the_indent_of_no_line_but_every_letter() -> None:
    assert split(f"{'a' * 20}\n\n   {'b' * 20}", 30) == ["a" * 20, "b" * 20]


def test_a_longer_fence_is_closed_and_opened_by_its_own_marks() -> None:
    inside = "\n".join(["```", *(f"line {number}" for number in range(40))])
    first, second, *_ = split(f"~~~~ text\n{inside}\n~~~~", 100)
    assert first.endswith("\n~~~~")
    assert second.startswith("~~~~text\nline")


def test_a_block_that_was_closed_is_not_closed_again() -> None:
    first, second = split(f"```\ncode\n```\n\n{'a ' * 60}\n\n{'b ' * 60}", 150)
    assert (first.count("```"), second.count("```")) == (2, 0)


@pytest.mark.parametrize(("number", "words"), [(0, "0 files"), (1, "1 file"), (2, "2 files")])
def test_a_number_agrees_with_its_word(number: int, words: str) -> None:
    assert pluralise(number, "file", "files") == words


@pytest.mark.parametrize("harmless", ["a@heretic.example", "@anna", "1 < 2", "everyone", "@hereafter"])
def test_what_calls_nobody_stays_as_it_is(harmless: str) -> None:
    assert neutralise_mentions(harmless) == harmless


@pytest.mark.parametrize("unsafe", ["@Channel", "@GROUP!", "<!here>", "<#1>"])
def test_every_way_to_call_somebody_is_broken(unsafe: str) -> None:
    assert neutralise_mentions(unsafe) == f"{unsafe[0]}\u200b{unsafe[1:]}"
