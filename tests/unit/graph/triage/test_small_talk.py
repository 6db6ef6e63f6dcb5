"""Messages that ask nothing are told from those that do."""

import pytest

from graph.triage.small_talk import is_greeting, is_small_talk


@pytest.mark.parametrize("text", ["thanks", "ok great 👍", "bye!", "🎉", "", "merci beaucoup", "that's all, thank you"])
def test_thanks_agreement_and_signs_are_small_talk(text: str) -> None:
    assert is_small_talk(text)


@pytest.mark.parametrize("text", ["thanks?", "ok 2", "so much for that", "thanks, but the export fails"])
def test_a_question_a_number_or_a_matter_is_not(text: str) -> None:
    assert not is_small_talk(text)


@pytest.mark.parametrize("text", ["hi", "Hello there!", "good morning team", "is anyone here?"])
def test_greetings(text: str) -> None:
    assert is_greeting(text)


@pytest.mark.parametrize("text", ["", "👋", "is it", "hi, my order is late", "support"])
def test_what_greets_nobody_is_no_greeting(text: str) -> None:
    assert not is_greeting(text)
