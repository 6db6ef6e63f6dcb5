"""Slack: one Bolt application over Socket Mode or HTTP, wired to intake, desk and storage."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from fastapi import APIRouter, Request, Response
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_bolt.authorization import AuthorizeResult

from bot.background_tasks import BackgroundTasks
from bot.channel import ChannelError
from bot.channel_status import ChannelStatusRegistry
from bot.intake import Intake
from bot.slack.assistant import SlackAssistant
from bot.slack.channel import SlackChannel
from bot.slack.command import SlackCommand
from bot.slack.connection.oauth import INSTALL_PATH, REDIRECT_PATH, SlackOAuth
from bot.slack.connection.socket import SlackSocket
from bot.slack.events import SlackEvents
from bot.slack.home import SlackHome
from bot.slack.installations import SlackTeams
from bot.slack.reply_actions import SlackReplyActions, press_of
from bot.slack.reviews.card import submitted
from bot.slack.reviews.card_sync import SlackReviewCards
from bot.slack.routing import SlackMessageRouter
from bot.slack.throttle import SlackPace
from bot.typing_indicator import TypingIndicators
from graph.desk import Desk
from storage.errors import DeskhandError
from storage.records import Decision, DecisionKind
from storage.settings import Settings
from storage.store import Store

log = structlog.get_logger(__name__)
EVENTS_PATH = "/slack/events"
PRESSES = re.compile(r"^(vote_up|vote_down|person|solved|sources|follow_up_\d)$")
CARD_PRESSES = re.compile(r"^card_(approve|edit|reject|take_over)$")
AGAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Slack:
    """The running channel."""

    channel: SlackChannel
    routes: APIRouter
    """`/slack/events`, and the two routes of "Add to Slack"."""
    oauth: SlackOAuth | None


@asynccontextmanager
async def open_slack(
    settings: Settings,
    store: Store,
    intake: Intake,
    desk: Desk,
    states: ChannelStatusRegistry,
    *,
    connects: bool = True,
) -> AsyncIterator[Slack | None]:
    """Slack while the block lasts; None when its tokens are missing, or wrong, which one line in the log says.

    `connects`: hold the socket and keep the cards. A process that does not only serves the routes, if Slack calls them.
    """
    if not is_configured(settings):
        states.off("slack")
        yield None
        return
    if not connects and not is_called(settings):
        yield None
        return
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        teams = SlackTeams(store, settings, session)
        states.starting("slack")
        try:
            await teams.start()
        except ChannelError as error:
            if error.permanent:
                log.error("slack is off", reason=f"{error.reason}: check SLACK_BOT_TOKEN")  # noqa: TRY400 - one line
                states.off("slack", f"{error.reason}: check SLACK_BOT_TOKEN")
                yield None
                return
            states.failed("slack", error.reason)
        async with _running(settings, store, intake, desk, states, teams, connects=connects) as slack:
            yield slack


def is_configured(settings: Settings) -> bool:
    """Whether there are enough tokens for Slack: a way in, and a bot's token or "Add to Slack"."""
    slack = settings.slack
    way_in = slack.app_token.get_secret_value() or slack.signing_secret.get_secret_value()
    token = slack.bot_token.get_secret_value() or (slack.client_id and slack.client_secret.get_secret_value())
    return bool(way_in and token)


def is_called(settings: Settings) -> bool:
    """Whether Slack, or who adds the app, comes over HTTP."""
    return bool(settings.slack.signing_secret.get_secret_value() or settings.slack.client_id)


@asynccontextmanager
async def _running(
    settings: Settings,
    store: Store,
    intake: Intake,
    desk: Desk,
    states: ChannelStatusRegistry,
    teams: SlackTeams,
    *,
    connects: bool,
) -> AsyncIterator[Slack]:
    errands, pace = BackgroundTasks(), SlackPace()
    signs = TypingIndicators(store.conversations.reading, store.cluster.events)
    channel = SlackChannel(teams, pace, states)
    hearing = SlackMessageRouter(store, teams, settings.slack.together_seconds)
    assistant = SlackAssistant(store.conversations.suggested_questions)
    events = SlackEvents(
        store=store,
        intake=intake,
        desk=desk,
        teams=teams,
        hearing=hearing,
        channel=channel,
        assistant=assistant,
        signs=signs,
        errands=errands,
    )
    cards = SlackReviewCards(store, desk, teams, pace)
    listeners = SlackApp(
        teams=teams,
        events=events,
        actions=SlackReplyActions(store, intake, desk, pace, errands),
        cards=cards,
        command=SlackCommand(store, desk, teams),
        home=SlackHome(store, teams),
        assistant=assistant,
        errands=errands,
        states=states,
    )
    oauth = SlackOAuth(settings, store.channels.installations, teams) if settings.slack.client_id else None
    app = listeners.app(settings)
    socket = SlackSocket(app, settings, teams, states) if connects else None
    connecting = asyncio.create_task(_connect(teams, socket, states))
    showing = [asyncio.create_task(cards.run())] if connects else []
    try:
        yield Slack(channel, _routes(app, settings, oauth), oauth)
    finally:
        connecting.cancel()
        cards.close()
        await asyncio.gather(connecting, *showing, return_exceptions=True)
        if socket is not None:
            await socket.close()
        await signs.close()
        await errands.close()
        states.disconnected("slack")


async def _connect(teams: SlackTeams, socket: SlackSocket | None, states: ChannelStatusRegistry) -> None:
    """Connect, however long Slack is away; a wrong token ends it with one line."""
    while True:
        try:
            await teams.start()
            if socket is None:
                states.connected("slack")
            else:
                await socket.connect()
        except ChannelError as error:
            states.failed("slack", error.reason)
            if error.permanent:
                log.error("slack cannot connect", reason=error.reason)  # noqa: TRY400 - one line
                return
            await asyncio.sleep(error.retry_after or AGAIN_SECONDS)
        else:
            return


class SlackApp:
    """Bolt's listeners: each finds the team, does or keeps what must not be lost, and then acknowledges."""

    def __init__(
        self,
        *,
        teams: SlackTeams,
        events: SlackEvents,
        actions: SlackReplyActions,
        cards: SlackReviewCards,
        command: SlackCommand,
        home: SlackHome,
        assistant: SlackAssistant,
        errands: BackgroundTasks,
        states: ChannelStatusRegistry,
    ) -> None:
        self._teams = teams
        self._events = events
        self._actions = actions
        self._cards = cards
        self._command = command
        self._home = home
        self._assistant = assistant
        self._errands = errands
        self._states = states

    def app(self, settings: Settings) -> AsyncApp:
        """The Bolt application. `process_before_response`: Slack's event is acknowledged after it is kept."""

        async def authorize(team_id: str | None, enterprise_id: str | None) -> AuthorizeResult | None:
            return await self._teams.authorize(team_id, enterprise_id)

        app = AsyncApp(
            client=self._teams.client(),
            signing_secret=settings.slack.signing_secret.get_secret_value() or "-",
            authorize=authorize,  # type: ignore[arg-type]  # None is Bolt's own word for "not installed"
            process_before_response=True,
            logger=logging.getLogger("slack"),
        )
        for event, listener in self.listeners().items():
            app.event(event)(listener)
        app.action(PRESSES)(self._pressed)
        app.action(CARD_PRESSES)(self._card_pressed)
        app.view("card_edited")(self._card_edited)
        app.view("card_rejected")(self._card_rejected)
        app.command("/deskhand")(self._commanded)
        return app

    def listeners(self) -> dict[str, Callable[..., Awaitable[None]]]:
        """Who hears which event; `deploy/slack-manifest.yaml` subscribes to these and no more."""
        return {
            "message": self._message,
            "app_mention": self._message,
            "app_home_opened": self._home_opened,
            "assistant_thread_started": self._assistant_started,
            "assistant_thread_context_changed": _nothing,
            "app_uninstalled": self._removed,
            "tokens_revoked": self._removed,
        }

    async def _message(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        self._states.event("slack")
        if team := await self._teams.find(context.team_id):
            await self._events.message(team, event)

    async def _home_opened(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        team = await self._teams.find(context.team_id)
        if team is not None and event.get("tab") == "home":
            self._errands.send(self._home.publish(team, event["user"]), "show App Home")

    async def _assistant_started(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        self._states.event("slack")
        if team := await self._teams.find(context.team_id):
            self._errands.send(self._assistant.started(team, event["assistant_thread"]), "suggest prompts")

    async def _removed(self, context: AsyncBoltContext) -> None:
        if context.team_id:
            await self._teams.removed(context.team_id)

    async def _pressed(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        if team := await self._teams.find(context.team_id):
            await self._actions.pressed(press_of(team, body))
        await ack()

    async def _card_pressed(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        if team := await self._teams.find(context.team_id):
            press = press_of(team, body)
            if said := await self._cards.pressed(press):
                self._actions.whisper(press, said)
            if not press.channel:
                self._errands.send(self._home.publish(team, press.user), "show App Home")
        await ack()

    async def _card_edited(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await self._card_submitted(ack, body, context, DecisionKind.EDIT)

    async def _card_rejected(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await self._card_submitted(ack, body, context, DecisionKind.REJECT)

    async def _card_submitted(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, kind: DecisionKind
    ) -> None:
        team = await self._teams.find(context.team_id)
        if team is None:
            await ack()
            return
        review_id, version, text = submitted(body["view"])
        decision = Decision(kind=kind, text=text) if kind is DecisionKind.EDIT else Decision(kind=kind, guidance=text)
        if said := await self._cards.decide(team, body["user"]["id"], review_id, version, decision):
            await ack(response_action="errors", errors={"words": said})
        else:
            await ack()

    async def _commanded(
        self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        await ack()
        if team := await self._teams.find(context.team_id):
            self._errands.send(self._answer(team.id, respond, body), "answer /deskhand")

    async def _answer(self, team_id: str, respond: AsyncRespond, body: dict[str, Any]) -> None:
        team = await self._teams.need(team_id)
        text = await self._command.answer(team, body["user_id"], body["channel_id"], body.get("text") or "")
        await respond(text=text, response_type="ephemeral")


async def _nothing() -> None:
    """Nothing to do: what is suggested does not depend on what the customer looks at beside the pane."""


def _routes(app: AsyncApp, settings: Settings, oauth: SlackOAuth | None) -> APIRouter:
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
