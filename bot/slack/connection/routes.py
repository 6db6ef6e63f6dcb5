"""Slack over HTTP: the route of its events, and the two of "Add to Slack"."""

from fastapi import APIRouter, Request, Response
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp

from bot.slack.connection.install_links import INSTALL_PATH, REDIRECT_PATH
from bot.slack.connection.oauth import SlackOAuth
from storage.errors import DeskhandError
from storage.settings import Settings

EVENTS_PATH = "/slack/events"


def slack_routes(app: AsyncApp, settings: Settings, oauth: SlackOAuth | None) -> APIRouter:
    """The routes that these settings ask for."""
    handler = AsyncSlackRequestHandler(app)
    router = APIRouter(include_in_schema=False)

    async def handle(request: Request) -> Response:
        try:
            return await handler.handle(request)
        except DeskhandError as error:
            # A link that has ended, or a team that belongs to another workspace.
            return Response(error.detail, status_code=403)

    if settings.slack.signing_secret.get_secret_value():
        # Bolt checks the signature and that the request is not older than five minutes.
        router.add_api_route(EVENTS_PATH, handle, methods=["POST"])
    if oauth is not None:
        app._async_oauth_flow = oauth  # noqa: SLF001 - Bolt takes a flow in its constructor or an authorize function, not both
        for path in (INSTALL_PATH, REDIRECT_PATH):
            router.add_api_route(path, handle, methods=["GET"])
    return router
