"""Read-through cache of Slack's installations: whose workspace a team is, and the client with its token."""

import asyncio
import json
from dataclasses import dataclass, replace

import aiohttp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ChannelError
from bot.slack.errors import translate_errors
from storage.records import Installation
from storage.settings import Settings
from storage.store import Store

CACHE_SECONDS = 60.0
NOT_CONNECTED_SECONDS = 5.0
SINGLE_WORKSPACE = "install the app in a single workspace of Slack's: each belongs to one workspace of this desk"


@dataclass(frozen=True, slots=True)
class SlackTeam:
    """A team of Slack's, which belongs to one workspace of ours."""

    id: str
    workspace_id: str
    bot_user: str
    bot_id: str
    client: AsyncWebClient
    url: str = ""
    """Such as https://acme.slack.com/."""


class SlackTeams:
    """Finds teams: the one of SLACK_BOT_TOKEN, and those that were added to Slack by OAuth."""

    def __init__(self, store: Store, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._store = store
        self._settings = settings
        self._session = session
        self._own_team: SlackTeam | None = None
        self._own_team_at = 0.0
        self._cache: dict[str, tuple[float, SlackTeam | None]] = {}

    def client(self, token: str = "") -> AsyncWebClient:
        """A client for a token. It never tries again by itself: a repeated post would be a second message."""
        return AsyncWebClient(
            token=token or None,
            base_url=self._settings.slack.api_url,
            session=self._session,
            retry_handlers=[],
        )

    async def start(self) -> None:
        """Ask Slack whose SLACK_BOT_TOKEN is; ChannelError if the token is wrong."""
        token = self._settings.slack.bot_token.get_secret_value()
        if not token or self._own_team is not None:
            return
        client = self.client(token)
        with translate_errors():
            answer = await client.auth_test()
        if answer.get("is_enterprise_install"):
            raise ChannelError(f"the token belongs to a whole organisation ({SINGLE_WORKSPACE})", permanent=True)
        workspace_id = await self._workspace_of_own(answer["team_id"])
        self._own_team = SlackTeam(
            answer["team_id"], workspace_id, answer["user_id"], answer.get("bot_id") or "", client, answer["url"]
        )
        self._own_team_at = asyncio.get_running_loop().time()

    async def find(self, team_id: str | None) -> SlackTeam | None:
        """The team, or None if it belongs to no workspace."""
        if not team_id:
            return None
        now = asyncio.get_running_loop().time()
        if self._own_team is not None and self._own_team.id == team_id:
            if now - self._own_team_at > CACHE_SECONDS or not self._own_team.workspace_id:
                self._own_team = replace(self._own_team, workspace_id=await self._workspace_of_own(team_id))
                self._own_team_at = now
            return self._own_team if self._own_team.workspace_id else None
        at, team = self._cache.get(team_id, (0.0, None))
        if team is None or now - at > CACHE_SECONDS:
            installed = await self._store.channels.installations.find("slack", team_id)
            team = self._team(installed) if installed and installed.secrets else None
            self._cache[team_id] = (now, team)
        return team

    async def require(self, team_id: str) -> SlackTeam:
        """The team; ChannelError if the app was removed from it."""
        team = await self.find(team_id)
        if team is None and self._own_team is None and self._settings.slack.bot_token.get_secret_value():
            raise ChannelError("Slack is not connected yet", retry_after=NOT_CONNECTED_SECONDS)
        if team is None:
            raise ChannelError(f"the app is not installed in the Slack team {team_id} any more", permanent=True)
        return team

    def forget(self, team_id: str) -> None:
        """Look again at the next occasion."""
        self._cache.pop(team_id, None)

    async def uninstalled(self, team_id: str) -> None:
        """The team removed the app."""
        await self._store.channels.installations.forget("slack", team_id)
        self.forget(team_id)

    async def authorize(self, team_id: str | None = None, enterprise_id: str | None = None) -> AuthorizeResult | None:
        """What Bolt needs to know about who sends an event."""
        team = await self.find(team_id)
        if team is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team.id,
            bot_user_id=team.bot_user,
            bot_id=team.bot_id,
            bot_token=team.client.token,
        )

    async def _workspace_of_own(self, team_id: str) -> str:
        """Whose our own token's team is; empty while nobody has said so: then nothing is heard there."""
        return await self._store.channels.installations.find_workspace("slack", team_id) or ""

    def _team(self, installed: Installation) -> SlackTeam:
        data = json.loads(installed.secrets)
        return SlackTeam(
            installed.team,
            installed.workspace_id,
            installed.bot_user,
            data.get("bot_id") or "",
            self.client(data["bot_token"]),
            data.get("url") or "",
        )
