"""Lifecycle of the Slack channel: one Bolt application over Socket Mode or HTTP, wired to intake, desk and storage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import structlog
from fastapi import APIRouter

from bot.background_tasks import BackgroundTasks
from bot.channel_status import ChannelStatusRegistry
from bot.errors import ChannelError
from bot.intake import Intake
from bot.rate_limit import KeyedThrottle
from bot.reply_actions import ReplyActions
from bot.review_cards import ReviewCardSync
from bot.slack.app import SlackApp
from bot.slack.channel import SlackChannel
from bot.slack.connection.oauth import SlackOAuth
from bot.slack.connection.routes import slack_routes
from bot.slack.connection.socket import SlackSocket
from bot.slack.directory import SlackDirectory
from bot.slack.events import SlackEvents
from bot.slack.files import SlackFiles
from bot.slack.installations import SlackTeams
from bot.slack.replies.actions import SlackReplyActions
from bot.slack.reviews.actions import SlackReviewActions
from bot.slack.reviews.card_messages import SlackReviewCards
from bot.slack.routing import SlackMessageRouter
from bot.slack.surfaces.assistant import SlackAssistant
from bot.slack.surfaces.command import SlackCommand
from bot.slack.surfaces.home import SlackHome
from bot.typing_indicator import TypingIndicators
from graph.desk import Desk
from storage.settings import Settings
from storage.store import Store

log = structlog.get_logger(__name__)
RECONNECT_SECONDS = 10.0
POST_SECONDS = 1.0
"""Slack takes one message per second and channel (docs.slack.dev/apis/web-api/rate-limits)."""
LONGEST_WAIT_SECONDS = 3.0
"""A busy channel must not hold the desk's workers."""


@dataclass(frozen=True, slots=True)
class Slack:
    """Slack, running."""

    channel: SlackChannel
    routes: APIRouter
    """`/slack/events`, and the two routes of "Add to Slack"."""
    oauth: SlackOAuth | None


@asynccontextmanager
async def running_slack(
    settings: Settings,
    store: Store,
    intake: Intake,
    desk: Desk,
    statuses: ChannelStatusRegistry,
    *,
    connects: bool,
) -> AsyncIterator[Slack | None]:
    """Slack while the block lasts; None when its tokens are wrong, which one line in the log says."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        teams = SlackTeams(store, settings, session)
        statuses.starting("slack")
        try:
            await teams.start()
        except ChannelError as error:
            if error.permanent:
                log.error("slack is off", reason=f"{error.reason}: check SLACK_BOT_TOKEN")  # noqa: TRY400 - one line
                statuses.off("slack", f"{error.reason}: check SLACK_BOT_TOKEN")
                yield None
                return
            statuses.failed("slack", error.reason)
        deps = _SlackDeps(settings, store, intake, desk, statuses, teams, session)
        async with _running(deps, connects=connects) as slack:
            yield slack


@dataclass(frozen=True, slots=True)
class _SlackDeps:
    """What Slack is wired to."""

    settings: Settings
    store: Store
    intake: Intake
    desk: Desk
    statuses: ChannelStatusRegistry
    teams: SlackTeams
    session: aiohttp.ClientSession


@asynccontextmanager
async def _running(deps: _SlackDeps, *, connects: bool) -> AsyncIterator[Slack]:
    settings, store, teams, statuses = deps.settings, deps.store, deps.teams, deps.statuses
    background = BackgroundTasks()
    throttle = KeyedThrottle(POST_SECONDS, longest_wait=LONGEST_WAIT_SECONDS)
    typing = TypingIndicators(store.conversations.reading, store.cluster.events)
    channel = SlackChannel(teams, throttle, statuses)
    oauth = SlackOAuth(settings, store.channels.installations, teams) if settings.slack.client_id else None
    app = _slack_app(deps, channel, typing, throttle, background).build(settings)
    socket = SlackSocket(app, settings, teams, statuses) if connects else None
    connecting = asyncio.create_task(_connect(teams, socket, statuses))
    cards = ReviewCardSync(SlackReviewCards(teams, throttle), store, statuses)
    syncing = [asyncio.create_task(cards.run())] if connects else []
    try:
        yield Slack(channel, slack_routes(app, settings, oauth), oauth)
    finally:
        connecting.cancel()
        cards.close()
        await asyncio.gather(connecting, *syncing, return_exceptions=True)
        if socket is not None:
            await socket.close()
        await typing.close()
        await background.close()
        statuses.disconnected("slack")


def _slack_app(
    deps: _SlackDeps,
    channel: SlackChannel,
    typing: TypingIndicators,
    throttle: KeyedThrottle,
    background: BackgroundTasks,
) -> SlackApp:
    store, intake, desk = deps.store, deps.intake, deps.desk
    directory, assistant = SlackDirectory(store), SlackAssistant(store.conversations.suggested_questions)
    events = SlackEvents(
        store=store,
        intake=intake,
        desk=desk,
        directory=directory,
        files=SlackFiles(deps.session, deps.settings.slack.api_url),
        router=SlackMessageRouter(store, directory, deps.settings.slack.together_seconds),
        channel=channel,
        assistant=assistant,
        typing=typing,
        background=background,
    )
    return SlackApp(
        teams=deps.teams,
        events=events,
        reply_actions=SlackReplyActions(store, ReplyActions(store, intake, desk), throttle, background),
        review_actions=SlackReviewActions(store, desk, directory),
        command=SlackCommand(store, desk, directory),
        home=SlackHome(store, directory),
        assistant=assistant,
        background=background,
        statuses=deps.statuses,
    )


async def _connect(teams: SlackTeams, socket: SlackSocket | None, statuses: ChannelStatusRegistry) -> None:
    """Connect, however long Slack is away; a wrong token ends it with one line."""
    while True:
        try:
            await teams.start()
            if socket is None:
                statuses.connected("slack")
            else:
                await socket.connect()
        except ChannelError as error:
            statuses.failed("slack", error.reason)
            if error.permanent:
                log.error("slack cannot connect", reason=error.reason)  # noqa: TRY400 - one line
                return
            await asyncio.sleep(error.retry_after or RECONNECT_SECONDS)
        else:
            return
