"""Slack's events as the customers' words."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.installations import SlackTeam
from bot.slack.routing import plain_text, slack_message_of


@pytest.mark.parametrize(
    ("slacks", "ours"),
    [
        ("<@UBOT> hello", "hello"),
        ("<@UBOT|desk>, hello", "hello"),
        ("see <https://x.example/a|x.example/a> &amp; <https://y.example>", "see x.example/a & https://y.example"),
        ("<https://x.example|our site> a &lt; b", "our site (https://x.example) a < b"),
        ("ask <#C1|general>", "ask general"),
        ("mail <mailto:a@x.example|a@x.example>", "mail a@x.example"),
    ],
)
def test_slacks_markup_becomes_the_customers_words(slacks: str, ours: str) -> None:
    team = SlackTeam("T1", "demo", "UBOT", "B1", AsyncWebClient())
    assert plain_text(team, slacks) == ours


def event(**parts: object) -> dict[str, object]:
    return {"channel": "C1", "user": "U1", "ts": "1.0", "text": "Hello", **parts}


@pytest.mark.parametrize("parts", [{"bot_id": "B1"}, {"user": ""}, {"subtype": "channel_join"}])
def test_what_no_person_wrote_is_no_message(parts: dict[str, object]) -> None:
    assert slack_message_of(event(**parts), "T1") is None


def test_the_first_message_of_a_thread_stands_at_the_top_level() -> None:
    first = slack_message_of(event(thread_ts="1.0"), "T1")
    reply = slack_message_of(event(thread_ts="0.5"), "T1")
    assert first is not None
    assert reply is not None
    assert (first.thread_ts, reply.thread_ts) == ("", "0.5")
    assert (first.key, first.person) == ("T1/C1/1.0", "T1/U1")


def test_a_thread_of_the_assistant_pane_keeps_its_first_messages_thread() -> None:
    pane = slack_message_of(event(channel="D1", thread_ts="1.0"), "T1")
    assert pane is not None
    assert pane.is_direct
    assert pane.thread_ts == "1.0"


def test_an_edited_message_is_read_as_it_is_now() -> None:
    changed = {"channel": "C1", "ts": "9.0", "subtype": "message_changed"}
    message = slack_message_of(changed, "T1", {"user": "U1", "ts": "1.0", "text": "New"})
    assert message is not None
    assert (message.ts, message.text) == ("1.0", "New")
