"""Slack over HTTP: the route of its events, and the two of "Add to Slack"."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fastapi import APIRouter, Request, Response
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.internals import parse_body

from bot.slack.connection.install_links import INSTALL_PATH, REDIRECT_PATH
from bot.slack.connection.oauth import SlackOAuth
from bot.slack.connection.signature import is_signed
from storage.errors import DeskhandError
from storage.settings import Settings

EVENTS_PATH = "/slack/events"
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


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

    if secret := settings.slack.signing_secret.get_secret_value():
        router.add_api_route(EVENTS_PATH, _signed_only(handle, secret), methods=["POST"])
    if oauth is not None:
        app._async_oauth_flow = oauth  # noqa: SLF001 - Bolt takes a flow in its constructor or an authorize function, not both
        for path in (INSTALL_PATH, REDIRECT_PATH):
            router.add_api_route(path, handle, methods=["GET"])
    return router


def _signed_only(handle: Handler, secret: str) -> Handler:
    """The handler, for requests that Slack has signed and that can be read."""

    async def handle_signed(request: Request) -> Response:
        body = await request.body()
        if not is_signed(secret, body, request.headers):
            return Response("This request is not signed by Slack.", status_code=401)
        try:
            parse_body(body.decode(), request.headers.get("content-type"))
        except ValueError:
            return Response("This body cannot be read.", status_code=400)
        return await handle(request)

    return handle_signed
