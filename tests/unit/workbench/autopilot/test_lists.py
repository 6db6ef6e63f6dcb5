"""Lists that an admin writes one a line: read kindly, refused with what to mend."""

import pytest

from storage.errors import InvalidError
from workbench.autopilot.lists import (
    MAX_INTENTS,
    MAX_TERM_LENGTH,
    MAX_TERMS,
    as_lines,
    parse_blocked_terms,
    parse_intents,
)


def test_intents_are_read_in_lower_case_each_once_in_their_order() -> None:
    assert parse_intents(" Refund \n\nother\nrefund\nlate   parcel\n") == ("refund", "other", "late parcel")


def test_blocked_terms_keep_their_capitals() -> None:
    assert parse_blocked_terms("Casino\n  free   money \nCasino\ncasino\n") == ("Casino", "free money", "casino")


def test_what_is_read_is_written_the_same_again() -> None:
    assert parse_intents(as_lines(("refund", "other"))) == ("refund", "other")
    assert parse_blocked_terms("") == ()


@pytest.mark.parametrize("intent", ["a", "a" * 40, "größe", "a1 b-c_d"])
def test_an_intent_is_up_to_forty_letters_digits_spaces_and_strokes(intent: str) -> None:
    assert parse_intents(f"{intent}\nother") == (intent, "other")


@pytest.mark.parametrize("intent", ["a" * 41, "1a", "_a", "-a", "a/b", "a:"])
def test_anything_else_is_no_intent(intent: str) -> None:
    with pytest.raises(InvalidError, match=f"“{intent}” cannot be one"):
        parse_intents(f"{intent}\nother")


def test_intents_need_a_place_for_everything_else() -> None:
    with pytest.raises(InvalidError, match="keep “other”"):
        parse_intents("refund\nanother")


def intents(number: int) -> str:
    return "\n".join(["other", *("a" * length for length in range(1, number))])


def test_there_are_no_more_intents_than_can_be_told_apart() -> None:
    assert len(parse_intents(intents(MAX_INTENTS))) == MAX_INTENTS
    with pytest.raises(InvalidError, match=f"{MAX_INTENTS + 1} are too many to tell apart; {MAX_INTENTS} is the most"):
        parse_intents(intents(MAX_INTENTS + 1))


def test_a_blocked_term_may_be_just_so_long() -> None:
    assert parse_blocked_terms("x" * MAX_TERM_LENGTH) == ("x" * MAX_TERM_LENGTH,)
    with pytest.raises(InvalidError, match=f"“{'x' * 20} …” is longer than {MAX_TERM_LENGTH} characters"):
        parse_blocked_terms("x" * (MAX_TERM_LENGTH + 1))


def test_a_blocked_term_has_something_of_a_word() -> None:
    assert parse_blocked_terms("c++\n7\n") == ("c++", "7")
    with pytest.raises(InvalidError, match="no letter or digit"):
        parse_blocked_terms("casino\n?!")


def test_there_may_be_just_so_many_blocked_terms() -> None:
    terms = [f"term {number}" for number in range(MAX_TERMS + 1)]
    assert len(parse_blocked_terms(as_lines(terms[:-1]))) == MAX_TERMS
    with pytest.raises(InvalidError, match=f"{MAX_TERMS + 1} are too many; {MAX_TERMS} is the most"):
        parse_blocked_terms(as_lines(terms))
