"""Replies become HTML that cannot hurt."""

import pytest

from bot.web.markdown import to_html


def test_the_marks_of_support_answers_are_shown() -> None:
    html = to_html("Click **Reset** in *Profile*:\n\n1. one\n2. `two`\n\n[Help](https://help.example/a?b=1&c=2)")
    assert "<strong>Reset</strong>" in html
    assert "<em>Profile</em>" in html
    assert "<ol>" in html
    assert "<code>two</code>" in html
    assert '<a href="https://help.example/a?b=1&amp;c=2" rel="noopener noreferrer" target="_blank">Help</a>' in html


def test_a_line_break_stays_one() -> None:
    assert "<br" in to_html("first\nsecond")


def test_raw_html_is_shown_as_text() -> None:
    html = to_html('<script>alert(1)</script> <img src=x onerror="alert(1)">')
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "//elsewhere.example", "/admin", "vbscript:x"],
)
def test_only_web_addresses_become_links(target: str) -> None:
    assert "<a" not in to_html(f"[click]({target})")


def test_images_are_not_loaded() -> None:
    assert "<img" not in to_html("![tracker](https://elsewhere.example/pixel.png)")


def test_a_damaged_address_does_not_break_the_reply() -> None:
    assert "click" in to_html("[click](http://[::1) and [there](http://[")
