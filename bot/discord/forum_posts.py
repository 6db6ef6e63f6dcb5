"""Keeps the tags of forum posts and the conversations in step, both ways."""

import discord
import structlog

from bot.discord.channel import FAILURES
from bot.discord.client import DeskClient
from bot.discord.directory import Directory
from bot.discord.tags import is_solved, tags_for
from bot.reconcile_loop import ReconcileLoop
from graph.desk import Desk
from storage.records import Conversation, ConversationStatus
from storage.store import Store

log = structlog.get_logger(__name__)

NEWEST = 100
"""Conversations with the latest changes that are looked at; more do not change between two looks."""
OVER = (ConversationStatus.RESOLVED, ConversationStatus.CLOSED)
MOST_REMEMBERED = 10_000


class ForumPosts:
    """Writes the conversations' status into the posts' tags, and takes "solved" from them."""

    def __init__(self, client: DeskClient, store: Store, desk: Desk, directory: Directory) -> None:
        self._client = client
        self._store = store
        self._desk = desk
        self._directory = directory
        self._shown: dict[str, ConversationStatus] = {}
        self._own: set[int] = set()
        """Posts that the desk itself has tagged as solved, and whose event has not come yet."""

    def rounds(self) -> ReconcileLoop:
        """The looking after the tags."""
        return ReconcileLoop(self._store.cluster.events, self._workspaces, self.look)

    async def look(self) -> None:
        """Bring the tags in step, once."""
        for workspace_id in await self._workspaces():
            await self._refresh(workspace_id)

    async def _workspaces(self) -> frozenset[str]:
        return frozenset(workspace.id for workspace in await self._store.accounts.workspaces.all())

    async def thread_changed(self, before: discord.Thread, after: discord.Thread) -> None:
        """Somebody tagged a post as solved: the matter is settled.

        The event of the desk's own tag says nothing new, and may come after the customer's next question.
        """
        if not is_solved(after.applied_tags):
            self._own.discard(after.id)
            return
        if is_solved(before.applied_tags):
            return
        if after.id in self._own:
            self._own.discard(after.id)
            return
        workspace_id = await self._directory.workspace_of(after.guild.id)
        conversation = await self._store.conversations.threads.find(workspace_id, "discord", str(after.id))
        if conversation is not None and conversation.status not in OVER:
            await self._desk.resolve(workspace_id, conversation.id)

    async def _refresh(self, workspace_id: str) -> None:
        page = await self._store.conversations.reading.page(workspace_id, limit=NEWEST)
        for conversation in page.items:
            is_new = self._shown.get(conversation.id) is not conversation.status
            if conversation.channel == "discord" and conversation.place and is_new:
                await self._show(conversation)

    async def _show(self, conversation: Conversation) -> None:
        """Nothing to do for threads of text channels; a post that fails is not tried at every look."""
        if len(self._shown) >= MOST_REMEMBERED:
            self._shown.clear()
        self._shown[conversation.id] = conversation.status
        forum = self._client.get_channel(int(conversation.place))
        if not isinstance(forum, discord.ForumChannel):
            return
        try:
            thread = forum.get_thread(int(conversation.thread)) or await self._fetch(conversation)
            wanted = tags_for(conversation.status, forum.available_tags, thread.applied_tags)
            if [tag.id for tag in wanted] != [tag.id for tag in thread.applied_tags]:
                await self._tag(thread, wanted)
        except FAILURES as error:
            log.warning("tags not in step", conversation=conversation.id, error=error)

    async def _tag(self, thread: discord.Thread, wanted: list[discord.ForumTag]) -> None:
        own = is_solved(wanted) and not is_solved(thread.applied_tags)
        if own:
            self._own.add(thread.id)
        try:
            await thread.edit(applied_tags=wanted)
        except FAILURES:
            if own:
                self._own.discard(thread.id)
            raise

    async def _fetch(self, conversation: Conversation) -> discord.Thread:
        channel = await self._client.fetch_channel(int(conversation.thread))
        if not isinstance(channel, discord.Thread):
            raise discord.InvalidData("a post is no thread")
        return channel
