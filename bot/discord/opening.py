"""Opening Discord, where its token is set: only then its library is imported, which may not even be installed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from bot.channel_status import ChannelStatusRegistry
from bot.discord.connection.leases import LocalLeases, ShardLeases
from bot.extras import missing_extra
from bot.intake import Intake
from bot.typing_indicator import TypingIndicators
from graph.desk import Desk
from storage.settings import Settings
from storage.store import Store

if TYPE_CHECKING:
    from bot.discord.channel import DiscordChannel

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_discord(
    settings: Settings,
    store: Store,
    intake: Intake,
    desk: Desk,
    statuses: ChannelStatusRegistry,
    leases: ShardLeases | None = None,
) -> AsyncIterator["DiscordChannel | None"]:
    """The channel while the block lasts, connected in the background; None without a token or its library.

    Never fails: whatever Discord refuses is one line in the log and in `statuses`, and the rest of the desk runs.
    """
    token = settings.discord.bot_token.get_secret_value()
    if not token:
        statuses.off("discord")
        yield None
        return
    if reason := missing_extra("discord"):
        log.error("discord is off", reason=reason)
        statuses.off("discord", reason)
        yield None
        return
    # 13 MB, and an extra.
    from bot.discord.channel import DiscordChannel  # noqa: PLC0415 - see above
    from bot.discord.connection.client import use_api_url  # noqa: PLC0415 - see above
    from bot.discord.connection.lifecycle import stay_connected  # noqa: PLC0415 - see above
    from bot.discord.deps import DiscordDeps  # noqa: PLC0415 - see above

    typing = TypingIndicators(store.conversations.reading, store.cluster.events)
    deps = DiscordDeps(settings.discord, store, intake, desk, statuses, typing)
    channel = DiscordChannel(store.conversations.reading)
    use_api_url(settings.discord.api_url)
    connecting = asyncio.create_task(stay_connected(deps, leases or LocalLeases(), channel, token), name="discord")
    try:
        yield channel
    finally:
        await typing.close()
        connecting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await connecting
