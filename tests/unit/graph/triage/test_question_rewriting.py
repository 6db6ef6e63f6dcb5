"""A follow-up becomes readable without its conversation; a question of its own stays as it is."""

import pytest

from graph.triage.question_rewriting import MAX_CONTEXT_LENGTH, depends_on_history, standalone_question
from storage.records import Author, Line


def customer(text: str) -> Line:
    return Line(author=Author.CUSTOMER, text=text)


def bot(text: str) -> Line:
    return Line(author=Author.BOT, text=text)


HISTORY = (customer("What does the pro plan cost?"), bot("20 euros."))


@pytest.mark.parametrize("text", ["yearly?", "and for two?", "how much is it?", "what about the app", "why?"])
def test_fragments_and_pronouns_depend_on_the_history(text: str) -> None:
    assert depends_on_history(text)
    assert standalone_question(text, HISTORY) == f"What does the pro plan cost? {text}"


@pytest.mark.parametrize(
    "text", ["warranty", "is it possible to pay?", "How do I delete my account when I have paid for it?"]
)
def test_a_question_of_its_own_does_not(text: str) -> None:
    assert not depends_on_history(text)
    assert standalone_question(text, HISTORY) == text


def test_without_a_question_before_it_a_fragment_stays_alone() -> None:
    assert standalone_question("yearly?", ()) == "yearly?"
    assert standalone_question("yearly?", (bot("20 euros."), customer("thanks"))) == "yearly?"


def test_small_talk_asks_nothing_unless_it_answers_a_question() -> None:
    assert standalone_question("yes", HISTORY) == ""
    assert standalone_question("yes", (*HISTORY, bot("Do you pay by card?"))) == "yes"
    assert standalone_question("hello", (*HISTORY, bot("Do you pay by card?"))) == ""


def test_the_subject_is_looked_for_three_messages_back_at_most() -> None:
    chain = [customer("What does the pro plan cost?"), *[customer(f"and for {n}?") for n in ("two", "three", "four")]]
    assert standalone_question("yearly?", chain) == "and for two? and for three? and for four? yearly?"


def test_what_is_repeated_is_masked_and_of_bounded_length() -> None:
    question = standalone_question("and when?", (customer(f"Is a@b.org {'x' * 1000} known?"),))
    assert "a@b.org" not in question
    assert len(question) < MAX_CONTEXT_LENGTH + 20
