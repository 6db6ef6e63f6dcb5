"""The Slack app and its manifest name the same scopes and events."""

from pathlib import Path

import yaml

from bot.slack.app import SlackApp
from bot.slack.connection.oauth import SCOPES

MANIFEST = Path(__file__).parents[4] / "deploy" / "slack-manifest.yaml"


def test_the_manifest_asks_for_the_scopes_that_are_used_and_no_more() -> None:
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    assert manifest["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)
    assert manifest["features"]["slash_commands"][0]["command"] == "/deskhand"


def test_the_manifest_subscribes_to_the_events_that_are_heard_and_no_more() -> None:
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    subscribed = manifest["settings"]["event_subscriptions"]["bot_events"]
    # Who hears what is known before anything is connected.
    listeners = SlackApp.__new__(SlackApp).listeners()
    assert {event.split(".")[0] for event in subscribed} == listeners.keys()
