"""The inbox queue: which conversations wait for a person, filtered and in priority order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from storage.records import Conversation, ConversationStatus, Member, Priority, Review, ReviewStatus
from storage.store import Store

MAX_PER_STATUS = 200
"""Conversations of one status in the list; who has more waiting has other worries."""


class QueueView(StrEnum):
    """Which part of the conversations the list shows."""

    WAITING = "waiting"
    """Drafts to review, and conversations that nobody or this member has."""
    REVIEWS = "reviews"
    UNASSIGNED = "unassigned"
    MINE = "mine"
    """What this member has or has claimed."""
    OTHERS = "others"
    RESOLVED = "resolved"
    ALL = "all"


class QueueFilter(BaseModel):
    """What the agent asks the list to show; from the browser, so checked."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    show: QueueView = QueueView.WAITING
    priority: Priority | None = None
    channel: str = Field(default="", max_length=16)
    intent: str = Field(default="", max_length=64)
    search: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One conversation in the list, with the draft that waits in it, if any."""

    conversation: Conversation
    review: Review | None

    @property
    def waits(self) -> bool:
        """Whether the customer has no answer yet."""
        return self.review is not None or self.conversation.waiting_since is not None

    @property
    def since(self) -> datetime:
        """Since when the customer waits; when nothing is unanswered, since the latest act."""
        shown_since = self.review.created_at if self.review else self.conversation.updated_at
        return self.conversation.waiting_since or shown_since

    @property
    def intent(self) -> str:
        """The intent as last seen."""
        return self.review.triage.intent if self.review else self.conversation.intent or ""


async def load_queue(store: Store, member: Member, queue_filter: QueueFilter) -> tuple[QueueItem, ...]:
    """The items that match, in the order to take them: urgent first, then the longest waiting."""
    found = await _conversations(store, member.workspace_id, queue_filter.show)
    reviews = await store.conversations.reviews.page(member.workspace_id, ReviewStatus.PENDING, limit=MAX_PER_STATUS)
    by_conversation = {review.conversation_id: review for review in reviews.items}
    items = (QueueItem(conversation, by_conversation.get(conversation.id)) for conversation in found)
    return in_order((item for item in items if matches(item, queue_filter, member)), queue_filter.show)


async def _conversations(store: Store, workspace_id: str, show: QueueView) -> list[Conversation]:
    match show:
        case QueueView.ALL:
            return list((await store.conversations.reading.page(workspace_id, limit=MAX_PER_STATUS)).items)
        case QueueView.RESOLVED:
            statuses: tuple[ConversationStatus, ...] = (ConversationStatus.RESOLVED, ConversationStatus.CLOSED)
        case QueueView.REVIEWS:
            statuses = (ConversationStatus.PENDING,)
        case _:
            statuses = (ConversationStatus.PENDING, ConversationStatus.ASSIGNED)
    found: list[Conversation] = []
    for status in statuses:
        found += (await store.conversations.reading.page(workspace_id, status=status, limit=MAX_PER_STATUS)).items
    return found


def matches(item: QueueItem, queue_filter: QueueFilter, member: Member) -> bool:
    """Whether an item belongs into the list that was asked for."""
    wanted = (
        (queue_filter.priority, item.conversation.priority),
        (queue_filter.channel, item.conversation.channel),
        (queue_filter.intent, item.intent),
    )
    if any(asked and asked != actual for asked, actual in wanted):
        return False
    return _is_in_view(item, queue_filter.show, member) and _matches_search(item, queue_filter.search)


def _is_in_view(item: QueueItem, show: QueueView, member: Member) -> bool:
    conversation = item.conversation
    assigned = conversation.status is ConversationStatus.ASSIGNED
    match show:
        case QueueView.WAITING:
            return item.review is not None or (assigned and conversation.assignee_id in (None, member.id))
        case QueueView.REVIEWS:
            return item.review is not None
        case QueueView.UNASSIGNED:
            return assigned and conversation.assignee_id is None
        case QueueView.MINE:
            claimed = item.review is not None and item.review.claimed_by_id == member.id
            return claimed or (assigned and conversation.assignee_id == member.id)
        case QueueView.OTHERS:
            return assigned and conversation.assignee_id not in (None, member.id)
        case QueueView.RESOLVED | QueueView.ALL:
            return True


def _matches_search(item: QueueItem, search: str) -> bool:
    words = search.lower().split()
    customer = item.conversation.customer
    texts = [customer.name, customer.email or "", item.conversation.subject, item.conversation.first_line]
    if item.review:
        texts.append(item.review.question)
    haystack = "\n".join(texts).lower()
    return all(word in haystack for word in words)


_URGENCY = {Priority.HIGH: 0, Priority.MEDIUM: 1, Priority.LOW: 2}


def in_order(items: Iterable[QueueItem], show: QueueView) -> tuple[QueueItem, ...]:
    """Unanswered before answered ones, urgent first, then the longest waiting. Resolved and all: the latest first."""
    if show in (QueueView.RESOLVED, QueueView.ALL):
        return tuple(sorted(items, key=lambda item: item.conversation.updated_at, reverse=True))
    return tuple(sorted(items, key=lambda item: (not item.waits, _URGENCY[item.conversation.priority], item.since)))
