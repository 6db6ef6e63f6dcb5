"""Personal data is found by its form and its check digits."""

import pytest

from graph.guard.personal_data import find_personal_data


def found(text: str) -> list[tuple[str, str]]:
    return sorted({(span.kind, text[span.start : span.end]) for span in find_personal_data(text)})


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("ann.lee [at] example [dot] com!", ("EMAIL", "ann.lee [at] example [dot] com")),
        ("IBAN DE89 3704 0044 0532 0130 00 please", ("IBAN", "DE89 3704 0044 0532 0130 00")),
        ("card 4111-1111-1111-1111", ("CARD", "4111-1111-1111-1111")),
        ("social security number 536228726", ("SSN", "536228726")),
        ("NIE X1234567L", ("NATIONAL_ID", "X1234567L")),
    ],
)
def test_a_finding_covers_the_value_and_nothing_else(text: str, span: tuple[str, str]) -> None:
    assert span in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1112",  # no valid check digit
        "9111 1111 1111 1111",  # no issuer
        "DE89 3704 0044 0532 0130 01",
        "DNI 12345678A",
        "me at the office",
    ],
)
def test_what_fails_its_check_is_nothing(text: str) -> None:
    assert [kind for kind, _ in found(text) if kind != "PHONE"] == []


def test_a_short_number_that_is_called_an_order_is_no_card_unless_it_is_called_a_card() -> None:
    assert found("order 4222222222222") == []
    assert found("order paid by card 4222222222222") == [("CARD", "4222222222222")]
