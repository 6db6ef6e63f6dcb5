"""Directory: who a Slack user is, the member who an admin linked to them, and what people call them."""

import asyncio

from slack_sdk.errors import SlackApiError

from bot.slack.errors import SLACK_UNREACHABLE
from bot.slack.ids import user_key
from bot.slack.installations import SlackTeam
from storage.records import Member
from storage.store import Store

NAME_SECONDS = 1.0
MAX_NAMES = 10_000


class SlackDirectory:
    """Looks users up; their names are asked for once."""

    def __init__(self, store: Store) -> None:
        self._identities = store.channels.identities
        self._names: dict[str, str] = {}

    async def member(self, team: SlackTeam, user: str) -> Member | None:
        """The workspace's member who is this Slack user."""
        return await self._identities.member(team.workspace_id, "slack", user_key(team.id, user))

    async def name(self, team: SlackTeam, user: str) -> str:
        """What people call this user; empty if Slack does not say so in time."""
        key = user_key(team.id, user)
        if key not in self._names:
            try:
                answer = await asyncio.wait_for(team.client.users_info(user=user), NAME_SECONDS)
            except (SlackApiError, *SLACK_UNREACHABLE):
                return ""
            found = answer.get("user") or {}
            profile = found.get("profile") or {}
            if len(self._names) >= MAX_NAMES:
                self._names.clear()
            self._names[key] = profile.get("display_name") or found.get("real_name") or found.get("name") or ""
        return self._names[key]
