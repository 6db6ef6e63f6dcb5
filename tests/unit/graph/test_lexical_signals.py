"""Denial, trouble and opposites are told from plain questions."""

import pytest

from graph.lexical_signals import (
    completed_actions,
    negated_actions,
    opposite_terms,
    reports_problem,
)
from storage.knowledge.terms import terms


@pytest.mark.parametrize(
    "text",
    [
        "No cancellation",
        "I don\N{RIGHT SINGLE QUOTATION MARK}t want to cancel",
        "please do not cancel it",
        "never cancelled",
    ],
)
def test_a_statement_denies_an_action(text: str) -> None:
    assert negated_actions(text) == {"cancel"}


@pytest.mark.parametrize(
    "text",
    ["cancel my order", "I don't know how I cancel", "Why can I not cancel?", "No cost EMI", "do you cancel", ""],
)
def test_a_question_ignorance_and_things_deny_nothing(text: str) -> None:
    assert not negated_actions(text)


@pytest.mark.parametrize("text", ["My order is cancelled", "it was already cancelled.", "order got cancelled"])
def test_a_statement_tells_what_was_done(text: str) -> None:
    assert completed_actions(text) == {"cancel"}


@pytest.mark.parametrize(
    "text", ["When is my order cancelled?", "tell me if it was cancelled", "is it cancelled", "cancel it", ""]
)
def test_a_question_tells_nothing_done(text: str) -> None:
    assert not completed_actions(text)


@pytest.mark.parametrize(
    "text", ["I am unable to log in", "it doesn't work", "payment failed", "cash option not showing"]
)
def test_trouble_is_heard(text: str) -> None:
    assert reports_problem(text)


@pytest.mark.parametrize("text", ["How do I log in?", "no thanks", "a notable showing"])
def test_no_trouble_is_heard_in_plain_questions(text: str) -> None:
    assert not reports_problem(text)


def test_words_are_opposed_only_to_what_the_entry_has() -> None:
    known = frozenset(terms("I need to add a dependent to my plan"))
    assert opposite_terms(terms("please remove a dependent"), known) == ["remov"]
    assert opposite_terms(terms("please add a dependent"), known) == []
    assert opposite_terms(terms("remove a dependent"), known | {"remov"}) == []
