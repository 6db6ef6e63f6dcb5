"""The inbox queue as HTML."""

from storage.records import Conversation, ConversationStatus, Member, Priority
from storage.records.labels import CHANNEL_NAMES
from workbench.inbox.queue import QueueFilter, QueueItem, QueueView
from workbench.ui.html import (
    chip,
    empty_state,
    esc,
    plain_reason,
    relative_time,
)

PRIORITY_TONES = {Priority.HIGH: "danger", Priority.MEDIUM: "", Priority.LOW: "quiet"}
STATUS_SENTENCES = {
    ConversationStatus.OPEN: "The bot answers here.",
    ConversationStatus.PENDING: "The desk is working on it.",
    ConversationStatus.RESOLVED: "Resolved.",
    ConversationStatus.CLOSED: "Closed.",
}
EMPTY_STATES = {
    QueueView.WAITING: (
        "All caught up",
        "Nothing waits for a person. New drafts and hand-overs appear here by themselves.",
    ),
    QueueView.REVIEWS: ("No drafts to review", "The bot's held drafts appear here. See “Waiting” for hand-overs."),
    QueueView.UNASSIGNED: (
        "Nobody is left waiting",
        "Conversations that the bot handed over and nobody has taken appear here.",
    ),
    QueueView.MINE: ("Nothing is yours right now", "Claim a draft or take a conversation over, and it appears here."),
    QueueView.OTHERS: ("Your colleagues have none", "Conversations that other members have appear here."),
    QueueView.RESOLVED: ("Nothing is resolved yet", "Conversations appear here when you mark them resolved."),
    QueueView.ALL: ("No conversations yet", "Write a first message in the web chat at /chat and watch it arrive."),
}


def queue_html(items: tuple[QueueItem, ...], queue_filter: QueueFilter, member: Member) -> str:
    """The list of conversations, or what its emptiness means."""
    if items:
        return "".join(item_html(item, member) for item in items)
    if queue_filter.search or queue_filter.priority or queue_filter.channel or queue_filter.intent:
        return empty_state("Nothing matches these filters", "Clear the search or a filter to see what waits.")
    return empty_state(*EMPTY_STATES[queue_filter.show])


def item_html(item: QueueItem, member: Member) -> str:
    """One conversation: who, since relative_time, what they say, and why a person is needed."""
    conversation = item.conversation
    question = item.review.question if item.review else conversation.first_line
    urgent = " urgent" if conversation.priority is Priority.HIGH else ""
    return (
        f'<button type="button" class="dh-item{urgent}" data-id="{esc(conversation.id)}">'
        f'<span class="dh-item-top"><strong>{esc(customer_name(conversation))}</strong>'
        f"{relative_time(item.since)}</span>"
        f'<span class="dh-item-line">{esc(question.strip() or "(no text)")}</span>'
        f'<span class="dh-item-why">{esc(waiting_reason(item, member))}</span>'
        f'<span class="dh-chips">{"".join(_chips(item, member))}</span></button>'
    )


def customer_name(conversation: Conversation) -> str:
    """The customer as an agent would call them."""
    customer = conversation.customer
    return customer.name or customer.email or f"Visitor {customer.id[:4]}"


def waiting_reason(item: QueueItem, member: Member) -> str:
    """Why this needs a person, in a few words."""
    if item.review:
        return plain_reason(item.review.held_because[0]) if item.review.held_because else "Held for review."
    if item.conversation.status is not ConversationStatus.ASSIGNED:
        return STATUS_SENTENCES[item.conversation.status]
    if item.conversation.assignee_id is None:
        return "Waits for a person: nobody has it yet."
    who = "You have" if item.conversation.assignee_id == member.id else f"{item.conversation.assignee_name} has"
    return f"{who} this conversation." if item.waits else f"{who} this conversation; the customer is answered."


def _chips(item: QueueItem, member: Member) -> list[str]:
    conversation, review = item.conversation, item.review
    chips = [chip(str(conversation.priority), PRIORITY_TONES[conversation.priority], title="Priority")]
    if conversation.is_overdue:
        chips.insert(0, chip("overdue", "danger", title="The customer has been waiting for a person for too long"))
    if item.intent:
        chips.append(chip(item.intent, title="Intent"))
    chips.append(chip(CHANNEL_NAMES.get(conversation.channel, conversation.channel), title="Channel"))
    if review is not None:
        chips.append(chip(f"{review.draft.confidence:.0%}", title="Confidence of the draft"))
    if review is not None and review.claimed_by:
        mine = review.claimed_by_id == member.id
        chips.append(chip("Claimed by you" if mine else f"Claimed: {review.claimed_by}", "accent" if mine else "warn"))
    return chips
