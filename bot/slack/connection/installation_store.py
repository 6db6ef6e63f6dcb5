"""Installation store: slack_sdk's tokens of each team, encrypted in our rows."""

import json

from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore

from bot.slack.installations import SlackTeams
from storage.channels.installations import Installations
from storage.records import Installation


class SlackInstallationStore(AsyncInstallationStore):
    """slack_sdk's installation store on our rows."""

    def __init__(self, installations: Installations, teams: SlackTeams) -> None:
        self._installations = installations
        self._teams = teams

    async def async_save(self, installation: SlackInstallation) -> None:
        """Keep the team's token, sealed, for the workspace in `custom_values`. Raises ConflictError."""
        team = installation.team_id or ""
        data = {
            "bot_token": installation.bot_token,
            "bot_id": installation.bot_id,
            "app_id": installation.app_id,
            "scopes": list(installation.bot_scopes or ()),
            "url": installation.custom_values.get("url", ""),
            "installer": installation.user_id,
        }
        await self._installations.keep(
            Installation(
                workspace_id=str(installation.custom_values["workspace"]),
                channel="slack",
                team=team,
                enterprise=installation.enterprise_id or "",
                name=installation.team_name or "",
                bot_user=installation.bot_user_id or "",
                secrets=json.dumps(data),
            )
        )
        self._teams.forget(team)

    async def async_find_bot(
        self,
        *,
        enterprise_id: str | None,  # noqa: ARG002 - slack_sdk's signature
        team_id: str | None,
        is_enterprise_install: bool | None = False,  # noqa: ARG002 - slack_sdk's signature
    ) -> Bot | None:
        """The team's bot."""
        found = await self._installations.find("slack", team_id or "")
        if found is None or not found.secrets:
            return None
        data = json.loads(found.secrets)
        return Bot(
            app_id=data.get("app_id"),
            enterprise_id=found.enterprise or None,
            team_id=found.team,
            team_name=found.name,
            bot_token=data["bot_token"],
            bot_id=data.get("bot_id") or "",
            bot_user_id=found.bot_user,
            bot_scopes=data.get("scopes", []),
            installed_at=0.0,
        )

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """The app was removed."""
        await self.async_delete_all(enterprise_id=enterprise_id, team_id=team_id)

    async def async_delete_all(self, *, enterprise_id: str | None, team_id: str | None) -> None:  # noqa: ARG002
        """The app was removed: forget its tokens."""
        if team_id:
            await self._installations.forget("slack", team_id)
            self._teams.forget(team_id)
