"""What a fresh session missed: threads are read from where the desk last heard of them. Repeats change nothing."""

from datetime import datetime, timedelta

import discord
import structlog

from bot.discord_client import DeskClient
from bot.discord_hearing import Hearing
from bot.discord_people import Directory
from storage.audit import now
from storage.records import Conversation
from storage.statuses import ConversationStatus
from storage.store import Store

log = structlog.get_logger(__name__)

OVERLAP = timedelta(minutes=5)
"""How much earlier than the desk's last news reading begins: clocks differ, and repeats cost little."""
LONGEST_AWAY = timedelta(days=7)
MOST_MESSAGES = 200
Readable = discord.Thread | discord.TextChannel | discord.DMChannel


class CatchUp:
    """Reads after a start and after a session that could not be resumed; a resume is replayed by Discord."""

    def __init__(self, client: DeskClient, store: Store, directory: Directory, hearing: Hearing) -> None:
        self._client = client
        self._store = store
        self._directory = directory
        self._hearing = hearing

    async def guild(self, guild: discord.Guild) -> None:
        """The served threads of a guild, and new ones in its support channels."""
        workspace_id = await self._directory.workspace_of(guild.id)
        for channel in guild.text_channels:
            if await self._directory.hears_everything(workspace_id, channel.id):
                await self._read(channel, now() - LONGEST_AWAY)
        # Nobody can write in an archived thread without its becoming active, so the active ones are all.
        for thread in await self._active(guild):
            if since := await self._since(workspace_id, thread):
                await self._read(thread, since)

    async def direct(self) -> None:
        """The direct messages of conversations that are not over."""
        workspace_id = await self._directory.workspace_of(None)
        for status in (ConversationStatus.OPEN, ConversationStatus.PENDING, ConversationStatus.ASSIGNED):
            page = await self._store.conversations.page(workspace_id, status=status, limit=200)
            for conversation in page.items:
                if conversation.channel == "discord" and not conversation.place:
                    await self._read_direct(conversation)

    async def _active(self, guild: discord.Guild) -> list[discord.Thread]:
        """Asked for: GUILD_CREATE names only the threads that the bot may see at that moment."""
        try:
            return await guild.active_threads()
        except discord.HTTPException as error:
            log.warning("active threads not known", guild=guild.id, error=str(error))
            return list(guild.threads)

    async def _since(self, workspace_id: str, thread: discord.Thread) -> datetime | None:
        """From when a thread is read; None if there is nothing in it for the desk."""
        conversation = await self._store.threads.find(workspace_id, "discord", str(thread.id))
        if conversation is not None:
            since = conversation.updated_at - OVERLAP
            newest = discord.utils.snowflake_time(thread.last_message_id) if thread.last_message_id else None
            return None if newest is not None and newest < since else since
        if await self._directory.hears_everything(workspace_id, thread.parent_id):
            return now() - LONGEST_AWAY
        return None

    async def _read_direct(self, conversation: Conversation) -> None:
        user = await self._client.fetch_user(int(conversation.customer.external_id))
        await self._read(await user.create_dm(), conversation.updated_at - OVERLAP)

    async def _read(self, channel: Readable, since: datetime) -> None:
        try:
            async for message in channel.history(after=since, limit=MOST_MESSAGES, oldest_first=True):
                await self._hearing.heard(message)
        except discord.HTTPException as error:
            log.warning("missed messages not read", channel=channel.id, error=str(error))
