"""What people read stays; what they cannot see goes."""

import pytest

from graph.guard.sanitising import has_visible_text, sanitise


def test_control_characters_and_direction_overrides_go_and_emoji_stay() -> None:
    assert (
        sanitise("a\x00b\x1b[0m\u202ec\r\nd\te \U0001f469\u200d\U0001f4bb ")
        == "ab[0mc\nd\te \U0001f469\u200d\U0001f4bb"
    )


@pytest.mark.parametrize("text", ["", " \n", "\u200d"])
def test_a_text_of_spaces_and_joiners_has_nothing_to_read(text: str) -> None:
    assert not has_visible_text(text)


@pytest.mark.parametrize("text", ["?", "\U0001f44d", "\u0434"])
def test_signs_and_emoji_can_be_read(text: str) -> None:
    assert has_visible_text(text)


def test_line_ends_become_one_kind() -> None:
    assert sanitise("a\r\nb\rc") == "a\nb\nc"
