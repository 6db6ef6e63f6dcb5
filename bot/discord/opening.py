"""Opening Discord: beside the desk, connected in the background, closed in order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.channel_status import ChannelStatusRegistry
from bot.discord.channel import DiscordChannel
from bot.discord.connection.client import use_api_url
from bot.discord.connection.lifecycle import stay_connected
from bot.discord.connection.shards import LocalLeases, ShardLeases
from bot.discord.deps import DiscordDeps
from bot.intake import Intake
from bot.typing_indicator import TypingIndicators
from graph.desk import Desk
from storage.settings import Settings
from storage.store import Store


@asynccontextmanager
async def open_discord(
    settings: Settings,
    store: Store,
    intake: Intake,
    desk: Desk,
    statuses: ChannelStatusRegistry,
    leases: ShardLeases | None = None,
) -> AsyncIterator[DiscordChannel | None]:
    """The channel while the block lasts, connected in the background; None without a token.

    Never fails: whatever Discord refuses is one line in the log and in `statuses`, and the rest of the desk runs.
    """
    token = settings.discord.bot_token.get_secret_value()
    if not token:
        statuses.off("discord")
        yield None
        return
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
