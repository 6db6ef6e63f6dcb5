"""Backfill: what a fresh session missed is read from the last read cursor on. Repeats change nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

import discord
import structlog

from bot.discord.connection.client import DeskClient
from bot.discord.direct_messages import DirectMessageRouter
from bot.discord.directory import Directory
from bot.discord.events import DiscordEvents
from bot.discord.read_cursors import DiscordReadCursors
from bot.discord.texts import is_addressed_to
from storage.clock import now
from storage.records import LIVE_STATUSES, Conversation
from storage.store import Store

log = structlog.get_logger(__name__)

OVERLAP = timedelta(minutes=5)
"""How much earlier than the desk's last news reading begins: clocks differ, and repeats cost little."""
MAX_AGE = timedelta(days=7)
MAX_MESSAGES = 500
MAX_CHANNELS = 50
"""Ordinary channels of a server that are read for mentions, the latest first."""
Readable = discord.Thread | discord.TextChannel | discord.DMChannel
Filter = Callable[[discord.Message], bool]


class Backfill:
    """Reads after a start and after a session that could not be resumed; a resume is replayed by Discord."""

    def __init__(
        self,
        store: Store,
        client: DeskClient,
        events: DiscordEvents,
        directory: Directory,
        direct_messages: DirectMessageRouter,
        cursors: DiscordReadCursors,
    ) -> None:
        self._threads = store.conversations.threads
        self._conversations = store.conversations.reading
        self._client = client
        self._events = events
        self._directory = directory
        self._direct_messages = direct_messages
        self._cursors = cursors

    async def guild(self, guild: discord.Guild) -> None:
        """A guild's support channels, the threads that the desk serves, and mentions anywhere else."""
        began, workspace_id = now(), await self._directory.workspace_of(guild.id)
        cursor = await self._cursors.begin_backfill(guild.id)
        earliest = max(cursor - OVERLAP, began - MAX_AGE) if cursor else None
        await self._channels(workspace_id, guild, earliest)
        # Nobody can write in an archived thread without its becoming active, so the active ones are all.
        for thread in await self._active_threads(guild):
            if since := await self._start_of(workspace_id, thread, earliest):
                await self._read(thread, since)
            elif earliest is not None and _has_new_messages(thread, earliest):
                await self._read(thread, earliest, self._is_mention)
        await self._cursors.caught_up(workspace_id, guild.id, began)

    async def direct_messages(self) -> None:
        """The direct messages of conversations that are not over."""
        for workspace_id in await self._direct_messages.workspaces():
            for status in LIVE_STATUSES:
                page = await self._conversations.page(workspace_id, status=status, limit=200)
                for conversation in page.items:
                    if conversation.channel == "discord" and not conversation.place:
                        await self._read_direct(conversation)

    async def _channels(self, workspace_id: str, guild: discord.Guild, earliest: datetime | None) -> None:
        """Support channels whole; the others, if there is news in them, for mentions and replies to the bot."""
        ordinary: list[discord.TextChannel] = []
        for channel in guild.text_channels:
            if await self._directory.is_support_channel(workspace_id, channel.id):
                await self._read(channel, earliest or now() - MAX_AGE)
            elif earliest is not None and _has_new_messages(channel, earliest):
                ordinary.append(channel)
        if earliest is None:
            return
        ordinary.sort(key=lambda channel: channel.last_message_id or 0, reverse=True)
        if len(ordinary) > MAX_CHANNELS:
            log.warning(
                "more channels have new messages than are backfilled",
                guild=guild.id,
                read=MAX_CHANNELS,
                of=len(ordinary),
            )
        for channel in ordinary[:MAX_CHANNELS]:
            await self._read(channel, earliest, self._is_mention)

    def _is_mention(self, message: discord.Message) -> bool:
        return is_addressed_to(message, self._client.me)

    async def _active_threads(self, guild: discord.Guild) -> list[discord.Thread]:
        """Asked for: GUILD_CREATE names only the threads that the bot may see at that moment."""
        try:
            return await guild.active_threads()
        except discord.HTTPException as error:
            log.warning("active threads not known", guild=guild.id, error=error)
            return list(guild.threads)

    async def _start_of(self, workspace_id: str, thread: discord.Thread, earliest: datetime | None) -> datetime | None:
        """From when a thread is read; None if there is nothing in it for the desk but mentions."""
        conversation = await self._threads.find(workspace_id, "discord", str(thread.id))
        if conversation is not None:
            since = conversation.updated_at - OVERLAP
            return since if _has_new_messages(thread, since) else None
        if await self._directory.is_support_channel(workspace_id, thread.parent_id):
            return earliest or now() - MAX_AGE
        return None

    async def _read_direct(self, conversation: Conversation) -> None:
        user = await self._client.fetch_user(int(conversation.customer.external_id))
        await self._read(await user.create_dm(), conversation.updated_at - OVERLAP)

    async def _read(self, channel: Readable, since: datetime, keep: Filter | None = None) -> None:
        read = 0
        try:
            async for message in channel.history(after=since, limit=MAX_MESSAGES, oldest_first=True):
                read += 1
                if keep is None or keep(message):
                    await self._events.message(await self._with_roles(message))
        except discord.HTTPException as error:
            log.warning("backfill failed", channel=channel.id, error=error)
        if read == MAX_MESSAGES:
            log.warning("backfill cut short", channel=channel.id, read=read)

    async def _with_roles(self, message: discord.Message) -> discord.Message:
        """A message that was asked for names its author without the roles that make them staff."""
        asks = self._directory.has_staff_roles and message.guild is not None and not message.author.bot
        if asks and message.guild is not None and isinstance(message.author, discord.User):
            try:
                message.author = await message.guild.fetch_member(message.author.id)
            except discord.HTTPException as error:
                log.debug("author not known any more", user=message.author.id, error=error)
        return message


def _has_new_messages(channel: discord.Thread | discord.TextChannel, since: datetime) -> bool:
    """Whether the last message came then or later; of a thread it may not be known."""
    newest = channel.last_message_id
    if newest is None:
        return isinstance(channel, discord.Thread)
    return discord.utils.snowflake_time(newest) >= since
