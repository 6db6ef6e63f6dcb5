"""Words that ask for a person, and words that only mention people."""

import pytest

from graph.triage.human_request import mentions_people, requests_human


@pytest.mark.parametrize(
    "text",
    ["agent pls", "can I talk to someone", "connect me with a human", "I want a real person", "please call me back",
     "I don't want to talk to a bot", "quiero hablar con una persona", "is there a person I can talk to?"],
)  # fmt: skip
def test_a_person_is_asked_for(text: str) -> None:
    assert requests_human(text)


@pytest.mark.parametrize(
    "text",
    ["how do I add an agent", "I talked to an agent yesterday", "am I talking to a real person?",
     "how many agents can I have", "no need to talk to an agent"],
)  # fmt: skip
def test_mentioning_people_is_no_request(text: str) -> None:
    assert mentions_people(text)
    assert not requests_human(text)


@pytest.mark.parametrize("text", ["I need someone to clean the room", "where is my order?", ""])
def test_a_service_is_no_talk(text: str) -> None:
    assert not requests_human(text)
