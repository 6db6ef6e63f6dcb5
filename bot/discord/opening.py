"""Opening Discord: beside the desk, connected in the background, closed in order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.channel_status import ChannelStatusRegistry
from bot.discord.channel import DiscordChannel
from bot.discord.client import point_at
from bot.discord.connection import House, stay_connected
from bot.discord.shards import LocalLeases, ShardLeases
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
    states: ChannelStatusRegistry,
    leases: ShardLeases | None = None,
) -> AsyncIterator[DiscordChannel | None]:
    """The channel while the block lasts, connected in the background; None without a token.

    Never fails: whatever Discord refuses is one line in the log and in `states`, and the rest of the desk runs.
    """
    token = settings.discord.bot_token.get_secret_value()
    if not token:
        states.off("discord")
        yield None
        return
    signs = TypingIndicators(store.conversations.reading, store.cluster.events)
    house = House(settings.discord, store, intake, desk, states, signs, leases or LocalLeases())
    channel = DiscordChannel(store.conversations.reading)
    point_at(settings.discord.api_url)
    connecting = asyncio.create_task(stay_connected(house, channel, token), name="discord")
    try:
        yield channel
    finally:
        await signs.close()
        connecting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await connecting
