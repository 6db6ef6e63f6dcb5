"""Socket Mode: Slack's events over a WebSocket of our own (docs.slack.dev/apis/events-api/using-socket-mode)."""

import logging
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bot.channel_status import ChannelStatusRegistry
from bot.errors import ChannelError
from bot.slack.errors import translate_errors
from bot.slack.installations import SlackTeams
from storage.settings import Settings


class SlackSocket:
    """The connection; without SLACK_APP_TOKEN events come over HTTP and there is nothing to connect."""

    def __init__(self, app: AsyncApp, settings: Settings, teams: SlackTeams, statuses: ChannelStatusRegistry) -> None:
        self._app = app
        self._token = settings.slack.app_token.get_secret_value()
        self._teams = teams
        self._statuses = statuses
        self._handler: AsyncSocketModeHandler | None = None

    async def connect(self) -> None:
        """Connect; slack_sdk keeps the connection from then on. Raises ChannelError, permanent for a wrong token."""
        if not self._token:
            self._statuses.connected("slack")
            return
        client = self._teams.client()
        try:
            with translate_errors():
                # slack_sdk would try a wrong token forever.
                answer = await client.apps_connections_open(app_token=self._token)
        except ChannelError as error:
            hint = ": check SLACK_APP_TOKEN" if error.permanent else ""
            raise ChannelError(error.reason + hint, permanent=error.permanent, retry_after=error.retry_after) from error
        self._handler = AsyncSocketModeHandler(
            self._app, self._token, logger=logging.getLogger("slack"), web_client=client, ping_interval=5
        )
        socket = self._handler.client
        socket.wss_uri = answer["url"]
        socket.message_listeners.append(self._on_message)
        socket.on_close_listeners.append(self._on_close)
        await socket.connect()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """End the connection."""
        if self._handler is not None:
            await self._handler.close_async()  # type: ignore[no-untyped-call]

    async def _on_message(self, _client: Any, message: dict[str, Any], _raw: str | None = None) -> None:
        match message.get("type"):
            case "hello":
                self._statuses.connected("slack")
            case "disconnect":
                # Slack renews connections every few hours; the library opens the next one.
                self._statuses.disconnected("slack")

    async def _on_close(self, _message: Any) -> None:
        self._statuses.disconnected("slack", "the connection was closed; connecting again")
