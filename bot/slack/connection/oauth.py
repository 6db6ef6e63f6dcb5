"""Adding the app to Slack: a team installs the app and belongs to the workspace whose admin sent them."""

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urljoin

import jwt
import structlog
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from bot.slack.installations import SlackTeams
from storage.channels.installations import Installations
from storage.clock import now
from storage.database.secrets import signing_secret
from storage.errors import NotAllowedError, NotLoggedInError
from storage.records import Installation, new_id
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
INSTALL_PATH, REDIRECT_PATH = "/slack/install", "/slack/oauth_redirect"
WHOLE_ORGANISATION = (
    "Deskhand was not added. The app was installed for a whole Slack organisation, but here each of Slack's workspaces "
    "belongs to a support team of its own. Open the link again and choose a single workspace on Slack's page."
)
TICKET_ALGORITHM = "HS256"
GRANT_LASTS, STATE_LASTS = timedelta(hours=24), timedelta(minutes=10)


class SlackInstallLinks:
    """Signed tickets: who may add the app for which workspace, and which installation a redirect belongs to."""

    def __init__(self, settings: Settings) -> None:
        self._secret = signing_secret(settings)
        self._public_url = settings.web.public_url

    def install_url(self, workspace_id: str) -> str:
        """The link that an admin gives to a team, good for a day."""
        grant = self.issue("slack-install", workspace_id, GRANT_LASTS)
        return f"{self._public_url.rstrip('/')}{INSTALL_PATH}?grant={grant}"

    def issue(self, kind: str, workspace_id: str, lasts: timedelta) -> str:
        """A ticket."""
        claims = {"kind": kind, "workspace": workspace_id, "jti": new_id(), "exp": now() + lasts}
        return jwt.encode(claims, self._secret, algorithm=TICKET_ALGORITHM)

    def read(self, kind: str, ticket: str) -> tuple[str, str]:
        """(workspace, the ticket's id); NotLoggedInError if it is not valid."""
        try:
            claims = jwt.decode(
                ticket, self._secret, algorithms=[TICKET_ALGORITHM], options={"require": ["exp", "jti"]}
            )
        except jwt.InvalidTokenError as error:
            raise NotLoggedInError("This link has ended: ask for a new one.") from error
        if claims.get("kind") != kind:
            raise NotLoggedInError("This link is for something else.")
        return str(claims["workspace"]), str(claims["jti"])


def install_link(settings: Settings) -> Callable[[str], str] | None:
    """Makes the link by which a team adds the app for a workspace; None where "Add to Slack" is not set up."""
    if not settings.web.public_url or not settings.slack.client_id:
        return None
    return SlackInstallLinks(settings).install_url


class SlackInstallations(AsyncInstallationStore):
    """slack_sdk's installation store on our rows."""

    def __init__(self, installations: Installations, teams: SlackTeams) -> None:
        self._installations = installations
        self._teams = teams

    async def async_save(self, installation: SlackInstallation) -> None:
        """Keep the team's token, sealed, for the workspace in `custom_values`. Raises ConflictError."""
        team = installation.team_id or ""
        kept = {
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
                secrets=json.dumps(kept),
            )
        )
        self._teams.forget(team)

    async def async_find_bot(
        self,
        *,
        enterprise_id: str | None,  # noqa: ARG002 - slack_sdk's signature
        team_id: str | None,
        is_enterprise_install: bool | None = False,  # noqa: ARG002
    ) -> Bot | None:
        """The team's bot."""
        found = await self._installations.find("slack", team_id or "")
        if found is None or not found.secrets:
            return None
        kept = json.loads(found.secrets)
        return Bot(
            app_id=kept.get("app_id"),
            enterprise_id=found.enterprise or None,
            team_id=found.team,
            team_name=found.name,
            bot_token=kept["bot_token"],
            bot_id=kept.get("bot_id") or "",
            bot_user_id=found.bot_user,
            bot_scopes=kept.get("scopes", []),
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


class SlackStates(AsyncOAuthStateStore):
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
                installation_store=SlackInstallations(installations, teams),
                installation_store_bot_only=True,
                state_store=SlackStates(self.tickets),
                authorization_url=urljoin(settings.slack.api_url, "/oauth/v2/authorize"),
            ),
        )

    async def issue_new_state(self, request: AsyncBoltRequest) -> str:
        """A state for the workspace of the link. Raises NotLoggedInError without a valid one."""
        workspace_id, _ = self.tickets.read("slack-install", (request.query.get("grant") or [""])[0])
        return self.tickets.issue("slack-state", workspace_id, STATE_LASTS)

    async def store_installation(self, request: AsyncBoltRequest, installation: SlackInstallation) -> None:
        """Keep the installation for the workspace of the state. Raises DeskhandError."""
        workspace_id, _ = self.tickets.read("slack-state", (request.query.get("state") or [""])[0])
        installation.custom_values["workspace"] = workspace_id
        if installation.is_enterprise_install or not installation.team_id:
            log.warning("slack organisation refused", enterprise=installation.enterprise_id, workspace=workspace_id)
            raise NotAllowedError(WHOLE_ORGANISATION)
        await self.settings.installation_store.async_save(installation)
