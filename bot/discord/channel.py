"""Delivery to Discord: exactly once by our own enforced nonces, and by what the thread shows already."""

import asyncio
from datetime import timedelta

import discord
import structlog

from bot.discord.connection.client import DeskClient
from bot.discord.errors import (
    CALL_SECONDS,
    FAILURES,
    THREAD_EXISTS,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    translate_errors,
)
from bot.discord.replies.rendering import ReplyPart, nonce_of, parts_of
from bot.discord.texts import thread_name
from bot.errors import ChannelError
from bot.rate_limit import KeyedThrottle
from storage.conversations.outbox import Outgoing
from storage.conversations.reading import Conversations
from storage.records import ChannelName, Conversation

log = structlog.get_logger(__name__)

AWAY_RETRY_SECONDS = 5.0
CALLS_PER_SECOND = 40.0
"""Below Discord's global limit of 50 requests per second for a bot, with room for what the library asks."""
MAX_TYPING_DELAY = 1.0
"""Seconds; with so many calls waiting nobody is shown typing."""
CLOCK_SKEW = timedelta(minutes=1)
"""How far our clock and Discord's may differ."""
SENT_HISTORY_LIMIT = 200
"""Messages of the thread that are searched for an earlier send."""


class DiscordChannel:
    """Sends through whichever client is logged in."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._throttle = KeyedThrottle(1 / CALLS_PER_SECOND)
        self.client: DeskClient | None = None
        """None while there is no login."""

    @property
    def name(self) -> ChannelName:
        """The channel's name in the rows."""
        return "discord"

    @property
    def idempotent(self) -> bool:
        """Discord remembers a nonce for a few minutes only, so a later try looks first."""
        return False

    async def send(self, outgoing: Outgoing) -> str:
        """Post the reply's parts that the thread does not show yet; gives the last one's id."""
        async with translate_errors():
            try:
                return await self._send(outgoing)
            except discord.NotFound as error:
                if error.code != UNKNOWN_CHANNEL or not await self._reopen_thread(outgoing):
                    raise
            return await self._send(outgoing)

    async def show_typing(self, conversation: Conversation, *, on: bool) -> None:
        """Typing, which fades by itself after ten seconds or with the next message."""
        if not on or self.client is None or self._throttle.delay() > MAX_TYPING_DELAY:
            return
        await self._throttle.wait()
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self.client.get_partial_messageable(int(conversation.thread)).typing()
        except FAILURES as error:
            log.debug("typing not shown", conversation=conversation.id, error=error)

    async def open_thread(self, channel_id: int, message_id: int, name: str) -> None:
        """Open the thread of a message; one that is there already is as good.

        What fails is logged: the reply opens the thread when it finds none.
        """
        try:
            async with translate_errors():
                await self._open_thread(channel_id, message_id, name)
        except ChannelError as error:
            log.warning("thread not opened yet", channel=channel_id, message=message_id, reason=error.reason)

    async def post_notice(self, channel_id: int, text: str, key: str) -> None:
        """A line of the desk's own; the same key again says it once."""
        async with translate_errors():
            await self._post(channel_id, ReplyPart(text, nonce_of(key)))

    async def _open_thread(self, channel_id: int, message_id: int, name: str) -> None:
        channel = self._connected_client.get_channel(channel_id) or await self._connected_client.fetch_channel(
            channel_id
        )
        if not isinstance(channel, discord.TextChannel):
            raise ChannelError("there is no text channel to open the thread in", permanent=True)
        await self._throttle.wait()
        try:
            await channel.get_partial_message(message_id).create_thread(name=name)
        except discord.HTTPException as error:
            if error.code != THREAD_EXISTS:
                raise

    async def _reopen_thread(self, outgoing: Outgoing) -> bool:
        """A crash came between the question's being kept and its thread's being opened; False: there was no place."""
        conversation = await self._conversations.read(outgoing.workspace_id, outgoing.conversation_id)
        if not conversation.place:
            return False
        name = thread_name(conversation.subject, conversation.customer.name)
        await self._open_thread(int(conversation.place), int(outgoing.thread), name)
        return True

    async def _send(self, outgoing: Outgoing) -> str:
        thread_id, parts = int(outgoing.thread), parts_of(outgoing)
        posted = await self._posted_parts(outgoing, parts) if outgoing.attempts else []
        last = posted[-1] if posted else 0
        for part in parts[len(posted) :]:
            last = await self._post(thread_id, part)
        return str(last)

    async def _post(self, channel_id: int, part: ReplyPart) -> int:
        """A lost answer or a repeated request gives the same message again, by the nonce."""
        target = self._connected_client.get_partial_messageable(channel_id)
        await self._throttle.wait()
        view = part.view()
        try:
            if view is None:
                message = await target.send(part.content, embeds=part.embeds, nonce=part.nonce)
            else:
                message = await target.send(part.content, embeds=part.embeds, nonce=part.nonce, view=view)
        except discord.NotFound as error:
            if error.code == UNKNOWN_MESSAGE:
                log.info("a reply was deleted on Discord right after it was sent", channel=channel_id)
                return 0
            raise
        return message.id

    async def _posted_parts(self, outgoing: Outgoing, parts: list[ReplyPart]) -> list[int]:
        """The ids of the parts, from the first, that an earlier try has posted."""
        since = outgoing.message.created_at - CLOCK_SKEW
        target = self._connected_client.get_partial_messageable(int(outgoing.thread))
        found: list[int] = []
        try:
            async for message in target.history(after=since, limit=SENT_HISTORY_LIMIT, oldest_first=True):
                if len(found) < len(parts) and self._is_part(message, parts[len(found)]):
                    found.append(message.id)
        except discord.Forbidden:
            log.warning("no permission to read the message history", channel=outgoing.thread)
        return found

    def _is_part(self, message: discord.Message, part: ReplyPart) -> bool:
        if message.author.id != self._connected_client.me.id or message.content.strip() != part.content.strip():
            return False
        return not part.buttons or bool(part.button_ids & button_ids(message))

    @property
    def _connected_client(self) -> DeskClient:
        if self.client is None:
            raise ChannelError("Discord is not connected", retry_after=AWAY_RETRY_SECONDS)
        return self.client


def button_ids(message: discord.Message) -> frozenset[str]:
    """The custom ids of a message's buttons."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    return frozenset(str(getattr(item, "custom_id", "")) for row in rows for item in row.children)
