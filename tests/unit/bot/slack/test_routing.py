"""Slack's events as the customers' words."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.installations import SlackTeam
from bot.slack.routing import plain_text


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
