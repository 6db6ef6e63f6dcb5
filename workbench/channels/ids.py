"""Parsing of platform ids: what an admin types or pastes, made into the external ids of our rows."""

import re
from collections.abc import Collection
from typing import Literal

from storage.errors import InvalidError

ChatName = Literal["slack", "discord"]
"""The channels that have places and staff of their own."""
SLACK_PLACE = re.compile(r"(?:https://app\.slack\.com/client/)?(?:([TE][A-Z0-9]+)/)?([CGD][A-Z0-9]+)(?:[/?].*)?")
SLACK_USER = re.compile(r"(?:([TE][A-Z0-9]+)/)?([UW][A-Z0-9]+)")
DISCORD_PLACE = re.compile(r"(?:https://(?:\w+\.)?discord\.com/channels/)?(?:(\d{1,20})/)?(\d{1,20})(?:/.*)?")
DISCORD_USER = re.compile(r"\d{1,20}")
EXAMPLES = {
    "slack": "Write a channel like T012AB/C034CD, or paste its address from Slack in the browser.",
    "discord": "Write a channel like SERVER/CHANNEL with both ids, or paste its link from Discord.",
}
USERS = {
    "slack": "Write a Slack user like T012AB/U034CD: the team's id and the member's id.",
    "discord": "Write a Discord user's id: digits only. A right-click on the person copies it in Developer Mode.",
}


def parse_place(channel: ChatName, text: str, teams: Collection[str]) -> tuple[str, str]:
    """(team or server, channel) of an address or of ids; with one team known, the channel's id alone will do.

    Raises InvalidError with what to write instead.
    """
    pattern = SLACK_PLACE if channel == "slack" else DISCORD_PLACE
    found = pattern.fullmatch(text.strip())
    if found is None:
        raise InvalidError(EXAMPLES[channel])
    return found[1] or _only(teams, EXAMPLES[channel]), found[2]


def parse_user(channel: ChatName, text: str, teams: Collection[str]) -> str:
    """A person's external id: Slack's with their team in front. Raises InvalidError with what to write instead."""
    if channel == "discord":
        if not DISCORD_USER.fullmatch(text.strip()):
            raise InvalidError(USERS[channel])
        return text.strip()
    found = SLACK_USER.fullmatch(text.strip())
    if found is None:
        raise InvalidError(USERS[channel])
    return f"{found[1] or _only(teams, USERS[channel])}/{found[2]}"


def _only(teams: Collection[str], advice: str) -> str:
    if len(set(teams)) != 1:
        raise InvalidError(f"It is not clear which team or server that is in. {advice}")
    return next(iter(teams))
