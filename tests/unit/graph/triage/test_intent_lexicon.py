"""What a customer's words say by themselves."""

import pytest

from graph.triage.intent_lexicon import (
    asks_how,
    is_alarming,
    is_glad,
    is_outraged,
    is_troubled,
    wants_money_back,
)


@pytest.mark.parametrize(
    "text", ["refund me", "I want my money back", "you charged me twice", "where is my refund", "I demand a refund now"]
)
def test_money_is_wanted_back(text: str) -> None:
    assert wants_money_back(text)


@pytest.mark.parametrize(
    "text", ["what is your refund policy", "how long do refunds take", "do you offer refunds", "how do I pay?"]
)
def test_a_question_about_the_rules_of_refunds_demands_none(text: str) -> None:
    assert not wants_money_back(text)


def test_a_demand_stays_one_beside_a_question_about_the_rules() -> None:
    assert wants_money_back("your policy says 30 days, so refund me")


def test_outrage_alarm_gladness_and_trouble_are_told_by_words() -> None:
    assert is_outraged("this is a disgrace")
    assert not is_outraged("this is a desk")
    assert is_alarming("the whole site is down")
    assert not is_alarming("scroll down load more")
    assert is_glad("thank you, works great")
    assert is_troubled("it still does not work, I can't log in")
    assert not is_troubled("where is the menu?")


@pytest.mark.parametrize(
    ("text", "expected"), [("How do I pay?", True), ("hi, can I pay?", True), ("I paid, how nice", False)]
)
def test_a_request_for_information_opens_like_one(text: str, expected: bool) -> None:
    assert asks_how(text) is expected
