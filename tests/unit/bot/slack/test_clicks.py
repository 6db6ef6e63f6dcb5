"""Clicks as Slack's interaction payloads tell of them."""

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.clicks import click_of
from bot.slack.installations import SlackTeam

TEAM = SlackTeam("T1", "demo", "UBOT", "B1", AsyncWebClient())


def test_a_click_in_a_thread_says_who_what_and_where() -> None:
    click = click_of(
        TEAM,
        {
            "user": {"id": "U1"},
            "channel": {"id": "C1"},
            "message": {"ts": "2.0", "thread_ts": "1.0"},
            "actions": [{"action_id": "vote_up", "value": "c1:m1", "action_ts": "3.0"}],
            "trigger_id": "t",
        },
    )
    assert (click.person, click.channel, click.thread_ts) == ("T1/U1", "C1", "1.0")
    assert (click.action, click.value, click.clicked_at, click.trigger_id) == ("vote_up", "c1:m1", "3.0", "t")


def test_a_click_in_app_home_has_no_channel() -> None:
    click = click_of(TEAM, {"user": {"id": "U1"}, "actions": [{"action_id": "card_edit"}]})
    assert (click.channel, click.thread_ts, click.value) == ("", "", "")
