"""Opening Slack, where its tokens are set: only then its library is imported, which may not even be installed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from bot.channel_status import ChannelStatusRegistry
from bot.extras import missing_extra
from bot.intake import Intake
from graph.desk import Desk
from storage.settings import Settings
from storage.store import Store

if TYPE_CHECKING:
    from bot.slack.connection.lifecycle import Slack

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_slack(
    settings: Settings,
    store: Store,
    intake: Intake,
    desk: Desk,
    statuses: ChannelStatusRegistry,
    *,
    connects: bool = True,
) -> AsyncIterator["Slack | None"]:
    """Slack while the block lasts; None when its tokens or its library are missing, or the tokens are wrong.

    `connects`: hold the socket and keep the cards. A process that does not only serves the routes, if Slack calls them.
    """
    if not is_configured(settings):
        statuses.off("slack")
        yield None
        return
    if not connects and not is_called_over_http(settings):
        yield None
        return
    if reason := missing_extra("slack"):
        log.error("slack is off", reason=reason)
        statuses.off("slack", reason)
        yield None
        return
    from bot.slack.connection.lifecycle import running_slack  # noqa: PLC0415 - 12 MB, and an extra

    async with running_slack(settings, store, intake, desk, statuses, connects=connects) as slack:
        yield slack


def is_configured(settings: Settings) -> bool:
    """Whether there are enough tokens for Slack: a way in, and a bot's token or "Add to Slack"."""
    slack = settings.slack
    way_in = slack.app_token.get_secret_value() or slack.signing_secret.get_secret_value()
    token = slack.bot_token.get_secret_value() or (slack.client_id and slack.client_secret.get_secret_value())
    return bool(way_in and token)


def is_called_over_http(settings: Settings) -> bool:
    """Whether Slack, or who adds the app, comes over HTTP."""
    return bool(settings.slack.signing_secret.get_secret_value() or settings.slack.client_id)
