"""Markdown's less usual shapes in Slack's mrkdwn."""

import pytest

from bot.slack.mrkdwn import escape_mrkdwn, to_mrkdwn, web_address

FENCE = "```"


@pytest.mark.parametrize(
    ("markdown", "mrkdwn"),
    [
        ("- a\n  - b\n    - c\n      - d", "• a\n    ◦ b\n        ▪ c\n            ▪ d"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("- one\n\n  more", "• one\n    more"),
        ("-", "• "),
        ("> - said\n>\n> so", "> • said\n> \n> so"),
        ("    code", f"{FENCE}\ncode\n{FENCE}"),
        ("a  \nb", "a\nb"),
        ("## **Big** news", "*Big news*"),
        ("![](https://x.example/p.png)", "<https://x.example/p.png|image>"),
        ("![a & b](p.png)", "a &amp; b"),
        ("[write](MAILTO:a@x.example)", "<MAILTO:a@x.example|write>"),
        ("[page](/faq)", "page"),
        ("[one](https://x.example) and [two](/faq)", "<https://x.example|one> and two"),
        ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;"),
        ("", ""),
    ],
)
def test_markdown_becomes_mrkdwn(markdown: str, mrkdwn: str) -> None:
    assert to_mrkdwn(markdown) == mrkdwn


def test_a_table_is_aligned_by_its_widest_cells() -> None:
    table = "| name | n |\n|---|---|\n| a `b` | 100 |\n| a long one | |"
    assert to_mrkdwn(table) == f"{FENCE}\nname        n\na b         100\na long one\n{FENCE}"


def test_code_cannot_close_the_block_that_it_is_in() -> None:
    made = to_mrkdwn(f"~~~\nx {FENCE} y\n~~~")
    assert made.count(FENCE) == 2
    assert made.replace("\u200b", "") == f"{FENCE}\nx {FENCE} y\n{FENCE}"


def test_plain_text_is_escaped_once() -> None:
    assert escape_mrkdwn("a < b & c > d &lt;") == "a &lt; b &amp; c &gt; d &amp;lt;"


def test_an_address_cannot_leave_its_link() -> None:
    assert web_address("https://x.example/?a=1&b=<c>|d") == "https://x.example/?a=1&amp;b=%3Cc%3E%7Cd"
