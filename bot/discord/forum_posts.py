"""Forum posts: their tags and the conversations' status are kept in step, both ways."""

from collections.abc import Iterable

import discord
import structlog

from bot.discord.connection.client import DeskClient
from bot.discord.directory import Directory
from bot.discord.errors import FAILURES
from bot.reconcile_loop import ReconcileLoop
from graph.desk import Desk
from storage.records import Conversation, ConversationStatus
from storage.store import Store

log = structlog.get_logger(__name__)

MAX_CONVERSATIONS = 100
"""Conversations with the latest changes that are looked at; more do not change between two looks."""
ENDED_STATUSES = (ConversationStatus.RESOLVED, ConversationStatus.CLOSED)
MAX_TRACKED_POSTS = 10_000
SOLVED_TAGS = frozenset({"solved", "resolved"})
NEEDS_HUMAN_TAGS = frozenset({"needs human", "needs a human", "needs person"})
MAX_TAGS = 5


class ForumPosts:
    """Writes the conversations' status into the posts' tags, and takes "solved" from them."""

    def __init__(self, client: DeskClient, store: Store, desk: Desk, directory: Directory) -> None:
        self._client = client
        self._store = store
        self._desk = desk
        self._directory = directory
        self._shown: dict[str, ConversationStatus] = {}
        self._tagged_solved: set[int] = set()
        """Posts that the desk itself has tagged as solved, and whose event has not come yet."""

    def loop(self) -> ReconcileLoop:
        """What keeps the tags in step."""
        return ReconcileLoop(self._store.cluster.events, self._workspaces, self.sync)

    async def sync(self) -> None:
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
            self._tagged_solved.discard(after.id)
            return
        if is_solved(before.applied_tags):
            return
        if after.id in self._tagged_solved:
            self._tagged_solved.discard(after.id)
            return
        workspace_id = await self._directory.find_workspace(after.guild.id)
        if workspace_id is None:
            return
        conversation = await self._store.conversations.threads.find(workspace_id, "discord", str(after.id))
        if conversation is not None and conversation.status not in ENDED_STATUSES:
            await self._desk.resolve(workspace_id, conversation.id)

    async def _refresh(self, workspace_id: str) -> None:
        page = await self._store.conversations.reading.page(workspace_id, limit=MAX_CONVERSATIONS)
        for conversation in page.items:
            is_new = self._shown.get(conversation.id) is not conversation.status
            if conversation.channel == "discord" and conversation.place and is_new:
                await self._show_status(conversation)

    async def _show_status(self, conversation: Conversation) -> None:
        """Nothing to do for threads of text channels; a post that fails is not tried at every look."""
        if len(self._shown) >= MAX_TRACKED_POSTS:
            self._shown.clear()
        self._shown[conversation.id] = conversation.status
        forum = self._client.get_channel(int(conversation.place))
        if not isinstance(forum, discord.ForumChannel):
            return
        try:
            thread = forum.get_thread(int(conversation.thread)) or await self._fetch(conversation)
            wanted = tags_for(conversation.status, forum.available_tags, thread.applied_tags)
            if [tag.id for tag in wanted] != [tag.id for tag in thread.applied_tags]:
                await self._apply_tags(thread, wanted)
        except FAILURES as error:
            log.warning("forum tags not in step", conversation=conversation.id, error=error)

    async def _apply_tags(self, thread: discord.Thread, wanted: list[discord.ForumTag]) -> None:
        tags_solved = is_solved(wanted) and not is_solved(thread.applied_tags)
        if tags_solved:
            self._tagged_solved.add(thread.id)
        try:
            await thread.edit(applied_tags=wanted)
        except FAILURES:
            if tags_solved:
                self._tagged_solved.discard(thread.id)
            raise

    async def _fetch(self, conversation: Conversation) -> discord.Thread:
        channel = await self._client.fetch_channel(int(conversation.thread))
        if not isinstance(channel, discord.Thread):
            raise discord.InvalidData("a post is no thread")
        return channel


def post_text(thread: discord.Thread, text: str) -> str:
    """A forum post's first message: its title and tags say what it is about."""
    tags = ", ".join(tag.name for tag in thread.applied_tags if not is_status_tag(tag))
    parts = (thread.name, text, f"Tags: {tags}" if tags else "")
    return "\n\n".join(part for part in parts if part)


def is_status_tag(tag: discord.ForumTag) -> bool:
    """Whether the desk keeps this tag in step with the conversation."""
    return _normalised(tag) in SOLVED_TAGS | NEEDS_HUMAN_TAGS


def is_solved(tags: Iterable[discord.ForumTag]) -> bool:
    """Whether somebody or the desk has marked the post as solved."""
    return any(_normalised(tag) in SOLVED_TAGS for tag in tags)


def tags_for(
    status: ConversationStatus, available: Iterable[discord.ForumTag], applied: Iterable[discord.ForumTag]
) -> list[discord.ForumTag]:
    """The post's tags as they should be: people's own, and the one for this status if the forum has it."""
    wanted = _tag_names(status)
    state = [tag for tag in available if _normalised(tag) in wanted][:1]
    return [*state, *(tag for tag in applied if not is_status_tag(tag))][:MAX_TAGS]


def _tag_names(status: ConversationStatus) -> frozenset[str]:
    match status:
        case ConversationStatus.RESOLVED | ConversationStatus.CLOSED:
            return SOLVED_TAGS
        case ConversationStatus.PENDING | ConversationStatus.ASSIGNED:
            return NEEDS_HUMAN_TAGS
        case ConversationStatus.OPEN:
            return frozenset()


def _normalised(tag: discord.ForumTag) -> str:
    return tag.name.strip().lower().replace("-", " ")
