"""Signed install links: who may add the app for which workspace, and which installation a redirect belongs to."""

from collections.abc import Callable
from datetime import timedelta

import jwt

from storage.clock import now
from storage.database.secrets import signing_secret
from storage.errors import NotLoggedInError
from storage.records import new_id
from storage.settings import Settings

INSTALL_PATH, REDIRECT_PATH = "/slack/install", "/slack/oauth_redirect"
TICKET_ALGORITHM = "HS256"
LINK_LIFETIME = timedelta(hours=24)


class SlackInstallLinks:
    """Signed tickets: who may add the app for which workspace, and which installation a redirect belongs to."""

    def __init__(self, settings: Settings) -> None:
        self._secret = signing_secret(settings)
        self._public_url = settings.web.public_url

    def install_url(self, workspace_id: str) -> str:
        """The link that an admin gives to a team, good for a day."""
        grant = self.issue("slack-install", workspace_id, LINK_LIFETIME)
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
