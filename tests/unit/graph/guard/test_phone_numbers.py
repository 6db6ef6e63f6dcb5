"""Phone numbers are told from the other numbers that customers write."""

import pytest

from graph.guard.phone_numbers import find_phone_numbers, is_reference_context


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in find_phone_numbers(text)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("call +44 7700 900123 or (415) 555-2671", ["+44 7700 900123", "(415) 555-2671"]),
        ("Fax 345-899-3560x4587", ["345-899-3560x4587"]),
        ("my mobile: 9472 7916", ["9472 7916"]),
        ("9472 7916 is my phone number", ["9472 7916"]),
        ("4155552671", ["4155552671"]),
        ("0049 30 901820", ["0049 30 901820"]),
    ],
)
def test_a_phone_number_is_found_whole(text: str, numbers: list[str]) -> None:
    assert found(text) == numbers


@pytest.mark.parametrize(
    "text",
    ["order 4155552671", "9472 7916", "192.168.100.200", "2024-05-06 12:30", "1 200 300 400", "1990 - 2020",
     "12224-0341", "+12345678901234567"],
)  # fmt: skip
def test_other_numbers_stay(text: str) -> None:
    assert found(text) == []


def test_the_nearest_word_says_what_a_number_is() -> None:
    assert is_reference_context("my phone and the order ")
    assert not is_reference_context("the order and my phone ")
    assert not is_reference_context("nothing of that kind ")
