"""Texts as the chat platforms take them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.mrkdwn import escape_mrkdwn, to_mrkdwn
from bot.text import neutralise_mentions, split

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
