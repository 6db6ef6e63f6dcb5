"""Typing indicators: shown at once when a turn is on its way, and taken away when it has ended."""

import asyncio

from bot.channel import Channel
from storage.cluster.events import EventBus, wait_for_event
from storage.conversations.reading import Conversations
from storage.records import Conversation

REFRESH_SECONDS = 8.0
"""Discord's typing fades after ten seconds, Slack's status after two minutes."""

MAX_INDICATORS = 500
"""Best effort: with more conversations at work than this the others go without."""


class TypingIndicators:
    """Keeps a channel's typing indicators in step with the turns; one task per conversation at work."""

    def __init__(
        self, conversations: Conversations, events: EventBus, refresh_seconds: float = REFRESH_SECONDS
    ) -> None:
        self._conversations = conversations
        self._events = events
        self._refresh_seconds = refresh_seconds
        self._shown: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    def show(self, channel: Channel, conversation: Conversation) -> None:
        """Show it until no turn of the conversation is on its way; calling again changes nothing."""
        if conversation.id not in self._shown and not self._closing and len(self._shown) < MAX_INDICATORS:
            task = asyncio.create_task(
                self._show_while_working(channel, conversation), name=f"typing {conversation.id}"
            )
            self._shown[conversation.id] = task
            task.add_done_callback(lambda _: self._shown.pop(conversation.id, None))

    async def close(self) -> None:
        """Take every one away, since this process ends."""
        self._closing = True
        tasks = list(self._shown.values())
        # Woken, not cancelled: a query that is cut off would leave its connection behind.
        self._events.publish(*self._shown)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _show_while_working(self, channel: Channel, conversation: Conversation) -> None:
        with self._events.listen(conversation.id) as news:
            try:
                await channel.show_typing(conversation, on=True)
                while not self._closing and await self._conversations.is_working(conversation.id):
                    if not await _got_event(news, self._refresh_seconds):
                        await channel.show_typing(conversation, on=True)
                    news.clear()
            finally:
                await channel.show_typing(conversation, on=False)


async def _got_event(news: asyncio.Event, seconds: float) -> bool:
    await wait_for_event(news, seconds)
    return news.is_set()
