"""OAuth installation ("Add to Slack"): the team belongs to the workspace whose admin sent it the link."""

from datetime import timedelta
from urllib.parse import urljoin

import structlog
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from bot.slack.connection.install_links import INSTALL_PATH, REDIRECT_PATH, SlackInstallLinks
from bot.slack.connection.installation_store import SlackInstallationStore
from bot.slack.installations import SlackTeams
from storage.channels.installations import Installations
from storage.errors import NotAllowedError, NotLoggedInError
from storage.settings import Settings

log = structlog.get_logger(__name__)
SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "chat:write",
    "commands",
    "files:read",
    "groups:history",
    "im:history",
    "im:write",
    "mpim:history",
    "reactions:write",
    "users:read",
)
"""The bot's scopes; deploy/slack-manifest.yaml names the same, and a test holds the two together."""
WHOLE_ORGANISATION = (
    "Deskhand was not added. The app was installed for a whole Slack organisation, but here each of Slack's workspaces "
    "belongs to a support team of its own. Open the link again and choose a single workspace on Slack's page."
)
STATE_LIFETIME = timedelta(minutes=10)


class SlackOAuthStates(AsyncOAuthStateStore):
    """OAuth states as signed tickets, each good once in this process."""

    def __init__(self, tickets: SlackInstallLinks) -> None:
        self._tickets = tickets
        self._used: set[str] = set()

    async def async_consume(self, state: str) -> bool:
        """Whether the state is ours, fresh and unused."""
        try:
            _, ticket_id = self._tickets.read("slack-state", state)
        except NotLoggedInError:
            return False
        fresh = ticket_id not in self._used
        self._used.add(ticket_id)
        return fresh


class SlackOAuth(AsyncOAuthFlow):
    """Bolt's flow, which remembers in the state for which workspace the team installs the app."""

    def __init__(self, settings: Settings, installations: Installations, teams: SlackTeams) -> None:
        self.tickets = SlackInstallLinks(settings)
        self._teams = teams
        redirect = f"{settings.web.public_url.rstrip('/')}{REDIRECT_PATH}" if settings.web.public_url else None
        super().__init__(
            client=teams.client(),
            settings=AsyncOAuthSettings(
                client_id=settings.slack.client_id,
                client_secret=settings.slack.client_secret.get_secret_value(),
                scopes=list(SCOPES),
                redirect_uri=redirect,
                install_path=INSTALL_PATH,
                redirect_uri_path=REDIRECT_PATH,
                install_page_rendering_enabled=False,
                installation_store=SlackInstallationStore(installations, teams),
                installation_store_bot_only=True,
                state_store=SlackOAuthStates(self.tickets),
                authorization_url=urljoin(settings.slack.api_url, "/oauth/v2/authorize"),
            ),
        )

    async def issue_new_state(self, request: AsyncBoltRequest) -> str:
        """A state for the workspace of the link. Raises NotLoggedInError without a valid one."""
        workspace_id, _ = self.tickets.read("slack-install", (request.query.get("grant") or [""])[0])
        return self.tickets.issue("slack-state", workspace_id, STATE_LIFETIME)

    async def store_installation(self, request: AsyncBoltRequest, installation: SlackInstallation) -> None:
        """Keep the installation for the workspace of the state. Raises DeskhandError."""
        workspace_id, _ = self.tickets.read("slack-state", (request.query.get("state") or [""])[0])
        installation.custom_values["workspace"] = workspace_id
        if installation.is_enterprise_install or not installation.team_id:
            log.warning("slack organisation refused", enterprise=installation.enterprise_id, workspace=workspace_id)
            raise NotAllowedError(WHOLE_ORGANISATION)
        await self.settings.installation_store.async_save(installation)
