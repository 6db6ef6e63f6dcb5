"""The closed sets of words: modes, roles, statuses, outcomes (DESIGN section 1)."""

from enum import StrEnum


class Mode(StrEnum):
    """What the autopilot may do, from nothing to sending alone."""

    OFF = "off"
    SHADOW = "shadow"
    DRAFT = "draft"
    AUTO = "auto"


class Role(StrEnum):
    """What a member may do: agents decide reviews, admins also set up the workspace."""

    AGENT = "agent"
    ADMIN = "admin"


class Registration(StrEnum):
    """Who may found a workspace."""

    FIRST = "first"
    """Whoever sets the desk up, while there is no admin at all."""
    INVITATION = "invitation"
    """Whoever an operator has given a link."""
    OPEN = "open"
    """Everybody."""


class ConversationStatus(StrEnum):
    """Whose move it is in a conversation (DESIGN section 1)."""

    OPEN = "open"
    PENDING = "pending"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    CLOSED = "closed"


LIVE_STATUSES = (ConversationStatus.OPEN, ConversationStatus.PENDING, ConversationStatus.ASSIGNED)
"""Of conversations that are not settled."""


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class Visibility(StrEnum):
    """Who sees a message: everybody in the conversation, or the members only (notes, take-over lines)."""

    PUBLIC = "public"
    INTERNAL = "internal"


class TurnStatus(StrEnum):
    """How far a turn has come.

    `queued` waits for its job, `running` is in the graph, `waiting` stopped at the interrupt, `decided` has a
    decision whose effect is not committed yet; `done` and `superseded` are final.
    """

    QUEUED = "queued"
    WAITING = "waiting"
    DECIDED = "decided"
    DONE = "done"
    SUPERSEDED = "superseded"


class Outcome(StrEnum):
    """How a finished turn ended, for the numbers and the audit trail."""

    SENT = "sent"
    """The bot answered alone."""
    REVIEWED = "reviewed"
    """A person approved or edited the draft."""
    DISMISSED = "dismissed"
    """A person decided that nothing is sent."""
    HANDOFF = "handoff"
    """A person has the conversation."""
    SILENCED = "silenced"
    """A person took the conversation over while the graph ran: the draft was dropped."""


class ReviewStatus(StrEnum):
    """Whether a review still waits for its one decision."""

    PENDING = "pending"
    DECIDED = "decided"
    SUPERSEDED = "superseded"


class DecisionKind(StrEnum):
    """The five ways a review ends."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    ESCALATE = "escalate"
    DISMISS = "dismiss"


class DeliveryStatus(StrEnum):
    """Where a reply is on its way to the channel."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DocumentStatus(StrEnum):
    """Whether a document's chunks can be found yet."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class ChunkKind(StrEnum):
    """A FAQ entry is kept whole; a passage is a piece of a longer document."""

    FAQ = "faq"
    PASSAGE = "passage"


class LabelSource(StrEnum):
    """Who said that a draft was right or wrong."""

    DECISION = "decision"
    AUDIT = "audit"
    VOTE = "vote"


class Priority(StrEnum):
    """How urgent a conversation is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Sentiment(StrEnum):
    """The customer's mood."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class GuardAction(StrEnum):
    """What the guard says about the customer's text."""

    PASS = "pass"  # noqa: S105 - the guard lets it pass; not a password
    REPLY = "reply"
    """Answer honestly with `GuardResult.reply`; no draft is needed."""
    HOLD = "hold"
    """A person must look."""


class Route(StrEnum):
    """Where `check` sends a draft."""

    SEND = "send"
    REVIEW = "review"
    HANDOFF = "handoff"
