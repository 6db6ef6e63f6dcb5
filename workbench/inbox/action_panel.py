"""The action panel: what an agent can do with a conversation now, decided here and not in the browser."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from storage.records import Conversation, ConversationStatus, DecisionKind, Member, Review, ReviewStatus
from storage.records.labels import DECISION_LABELS

PanelMode = Literal["review", "reply", "watch", "working", "empty"]


@dataclass(frozen=True, slots=True)
class Panel:
    """The right pane."""

    mode: PanelMode
    title: str
    hint: str
    """One sentence on whose move it is."""
    actions: tuple[str, ...] = ()
    """The kinds of acts that are offered."""
    review_id: str = ""
    version: int = 0
    text: str = ""
    """What the text box starts with."""

    def for_browser(self) -> dict[str, Any]:
        """The record as JSON."""
        return asdict(self)


EMPTY = Panel("empty", "Nothing selected", "Pick a conversation in the queue: its draft and evidence show here.")


def panel_of(conversation: Conversation, review: Review | None, member: Member) -> Panel:
    """The pane for a conversation whose newest review this is."""
    assigned = conversation.status is ConversationStatus.ASSIGNED
    if review is not None and review.status is ReviewStatus.PENDING and not assigned:
        return _review_panel(review, member)
    match conversation.status:
        case ConversationStatus.ASSIGNED:
            return _assigned_panel(conversation, member)
        case ConversationStatus.PENDING:
            return Panel("working", "The desk is working", _progress_hint(review), ("take_over",))
        case ConversationStatus.OPEN:
            return Panel("watch", "The bot answers here", _history_hint(review), ("take_over", "resolve"))
        case ConversationStatus.RESOLVED:
            return Panel("watch", "Resolved", "A new message of the customer opens it again.", ("take_over",))
        case ConversationStatus.CLOSED:
            return Panel("watch", "Closed", "The customer's next message starts a new conversation.")


def _review_panel(review: Review, member: Member) -> Panel:
    has_text = bool(review.draft.text.strip())
    mine = review.claimed_by_id == member.id
    approve = ("approve",) if has_text else ()
    return Panel(
        mode="review",
        title="Draft reply" if review.version == 1 else f"Draft reply, version {review.version}",
        hint="Nothing is sent before you decide." if has_text else "The bot has no reply to propose: write one.",
        actions=(*approve, "edit", "reject", "take_over", "dismiss", "release" if mine else "claim"),
        review_id=review.id,
        version=review.version,
        text=review.draft.text,
    )


def _assigned_panel(conversation: Conversation, member: Member) -> Panel:
    if conversation.assignee_id == member.id:
        hint = "You have this conversation: the bot is silent until you hand it back."
        return Panel("reply", "Your reply", hint, ("reply", "hand_back", "resolve"))
    if conversation.assignee_id is None:
        hint = "Nobody has this conversation yet, and the bot is silent: your reply takes it."
        return Panel("reply", "Your reply", hint, ("reply", "take_over", "hand_back", "resolve"))
    hint = f"{conversation.assignee_name} has this conversation. Take it over to reply yourself."
    return Panel("watch", f"With {conversation.assignee_name}", hint, ("take_over",))


def _progress_hint(review: Review | None) -> str:
    if review is None or review.decision is None:
        return "The customer wrote more: a fresh draft is on its way."
    if review.decision.kind is DecisionKind.REJECT:
        return f"{review.decision.member_name} asked for another draft; it will be here in a moment."
    return f"{review.decision.member_name} {DECISION_LABELS[review.decision.kind].phrase}; it is taking effect."


def _history_hint(review: Review | None) -> str:
    if review is None or review.decision is None:
        return "Nothing waits for a person. Take over if you want to write yourself."
    return f"Already handled: {review.decision.member_name} {DECISION_LABELS[review.decision.kind].phrase}."
