"""The tags of forum posts that say how a conversation stands."""

from collections.abc import Iterable

import discord

from storage.records import ConversationStatus

SOLVED = frozenset({"solved", "resolved"})
NEEDS_HUMAN = frozenset({"needs human", "needs a human", "needs person"})
MAX_TAGS = 5


def is_state_tag(tag: discord.ForumTag) -> bool:
    """Whether the desk keeps this tag in step with the conversation."""
    return _plain(tag) in SOLVED | NEEDS_HUMAN


def is_solved(tags: Iterable[discord.ForumTag]) -> bool:
    """Whether somebody or the desk has marked the post as solved."""
    return any(_plain(tag) in SOLVED for tag in tags)


def tags_for(
    status: ConversationStatus, available: Iterable[discord.ForumTag], applied: Iterable[discord.ForumTag]
) -> list[discord.ForumTag]:
    """The post's tags as they should be: people's own, and the one for this status if the forum has it."""
    wanted = _wanted(status)
    state = [tag for tag in available if _plain(tag) in wanted][:1]
    return [*state, *(tag for tag in applied if not is_state_tag(tag))][:MAX_TAGS]


def _wanted(status: ConversationStatus) -> frozenset[str]:
    match status:
        case ConversationStatus.RESOLVED | ConversationStatus.CLOSED:
            return SOLVED
        case ConversationStatus.PENDING | ConversationStatus.ASSIGNED:
            return NEEDS_HUMAN
        case ConversationStatus.OPEN:
            return frozenset()


def _plain(tag: discord.ForumTag) -> str:
    return tag.name.strip().lower().replace("-", " ")
