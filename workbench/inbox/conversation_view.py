"""The conversation as HTML: who it is with, and what was said."""

from collections.abc import Sequence

from storage.records import (
    Author,
    Conversation,
    ConversationStatus,
    Member,
    Message,
    Priority,
    Visibility,
)
from storage.records.labels import CHANNEL_NAMES
from workbench.inbox.queue_view import customer_name
from workbench.ui.html import (
    chip,
    clock_time,
    empty_state,
    esc,
    markdown,
)

MAX_THREAD_LENGTH = 5000
"""Who wants to read more than so many messages of one conversation asks the REST interface."""
STATUS_LABELS = {
    ConversationStatus.OPEN: ("Bot answers", "ok"),
    ConversationStatus.PENDING: ("Draft waits", "warn"),
    ConversationStatus.ASSIGNED: ("With a person", "accent"),
    ConversationStatus.RESOLVED: ("Resolved", ""),
    ConversationStatus.CLOSED: ("Closed", ""),
}
NOBODY_SELECTED = empty_state("No conversation is open", "Pick one in the queue, or press j to take the first.")


def head_html(conversation: Conversation, members: Sequence[Member]) -> str:
    """Who it is, and what can be set: priority and assignee."""
    words, tone = STATUS_LABELS[conversation.status]
    email = conversation.customer.email
    subtitle = " · ".join(filter(None, (email, CHANNEL_NAMES.get(conversation.channel), conversation.subject)))
    return (
        f'<div class="dh-who"><h2>{esc(customer_name(conversation))}</h2>'
        f'<p title="{esc(subtitle)}">{esc(subtitle)}</p></div>'
        f'<div class="dh-head-tools">{chip(words, tone)}{_priority_picker(conversation)}'
        f"{_assignee_picker(conversation, members)}</div>"
    )


def _priority_picker(conversation: Conversation) -> str:
    options = "".join(
        f'<option value="{priority}"{" selected" if priority is conversation.priority else ""}>'
        f"{esc(str(priority).capitalize())}</option>"
        for priority in Priority
    )
    return _picker("priority", "Priority", options, conversation)


def _assignee_picker(conversation: Conversation, members: Sequence[Member]) -> str:
    chosen = conversation.assignee_id
    options = "" if chosen else '<option value="" selected>Assign to…</option>'
    options += "".join(
        f'<option value="{esc(member.id)}"{" selected" if member.id == chosen else ""}>{esc(member.name)}</option>'
        for member in members
    )
    return _picker("assign", "Assigned to", options, conversation)


def _picker(act: str, label: str, options: str, conversation: Conversation) -> str:
    off = " disabled" if conversation.status is ConversationStatus.CLOSED else ""
    return f'<select class="dh-select" data-change="{act}" aria-label="{label}" title="{label}"{off}>{options}</select>'


def thread_html(messages: Sequence[Message], conversation: Conversation, length: int) -> str:
    """The latest `length` messages as bubbles in order; notes and take-overs as lines between them.

    One message more than that tells that there are older ones.
    """
    if not messages:
        return empty_state("Nothing was said yet", "The customer opened the chat and has not written.")
    name = customer_name(conversation)
    latest = "".join(message_html(message, name) for message in messages[-length:])
    return (_older(length) if len(messages) > length else "") + latest


def _older(length: int) -> str:
    if length >= MAX_THREAD_LENGTH:
        return f'<p class="dh-line">Only the latest {MAX_THREAD_LENGTH} messages are shown here.</p>'
    return '<p class="dh-line"><button type="button" class="dh-link" data-do="older">Show older messages</button></p>'


def message_html(message: Message, customer: str) -> str:
    """One message as a bubble, a note or a line."""
    internal = message.visibility is Visibility.INTERNAL
    if internal and message.author is Author.SYSTEM:
        return f'<p class="dh-line">{esc(message.text)} {clock_time(message.created_at)}</p>'
    kind = "note" if internal else str(message.author)
    # What a customer or a colleague types is shown as typed; what the bot says is Markdown.
    plain = internal or message.author is Author.CUSTOMER
    body = f'<div class="dh-plain">{esc(message.text)}</div>' if plain else markdown(message.text)
    return (
        f'<article class="dh-bubble {kind}" data-seq="{message.seq}">'
        f"<header><b>{esc(_author(message, customer))}</b>{clock_time(message.created_at)}{_vote(message)}</header>"
        f'<div class="dh-body">{body}</div></article>'
    )


def _author(message: Message, customer: str) -> str:
    match message.author:
        case Author.CUSTOMER:
            return customer
        case Author.BOT:
            return f"Bot, approved by {message.member_name}" if message.member_name else _bot(message)
        case Author.AGENT:
            name = message.member_name or "A colleague"
            return f"Note by {name}" if message.visibility is Visibility.INTERNAL else name
        case Author.SYSTEM:
            return "Automatic notice"


def _bot(message: Message) -> str:
    return f"Bot, alone at {message.draft.confidence:.0%}" if message.draft and message.draft.can_answer else "Bot"


def _vote(message: Message) -> str:
    match message.vote:
        case "up":
            return chip("Helpful", "ok", title="The customer's vote")
        case "down":
            return chip("Not helpful", "danger", title="The customer's vote")
        case None:
            return ""
