"""The records that cross the boundaries of the house: rows end in storage, these go on from there."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import uuid4

from pydantic import Field

from storage.findings import Decision, Draft, Triage, Value
from storage.statuses import (
    Author,
    ConversationStatus,
    DeliveryStatus,
    DocumentStatus,
    Mode,
    Priority,
    ReviewStatus,
    Role,
    TurnStatus,
    Visibility,
)

ChannelName = Literal["slack", "discord", "web"]
READ_FROM_ROWS: frozenset[ChannelName] = frozenset({"web"})
"""Channels whose customers read the rows: the commit that writes a reply delivers it."""
Vote = Literal["up", "down"]


def new_id() -> str:
    """A fresh random id: 32 hexadecimal digits."""
    return uuid4().hex


class BusinessHours(Value):
    """When people are there; outside these hours automatic replies may be held."""

    timezone: str = "UTC"
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Weekdays, Monday is 0."""
    opens: str = "09:00"
    closes: str = "17:00"


class WorkspaceSettings(Value):
    """What a workspace's admins may change; the defaults of a new workspace come from config.yaml."""

    mode: Mode = Mode.AUTO
    channel_modes: dict[str, Mode] = Field(default_factory=dict)
    """Mode by channel name where it differs from `mode`."""
    threshold: float = Field(default=0.65, ge=0, le=1)
    hold_intents: tuple[str, ...] = ("complaint", "refund")
    hold_priorities: tuple[Priority, ...] = (Priority.HIGH,)
    hold_wants_human: bool = True
    max_bot_turns: int = Field(default=10, ge=1)
    """Automatic replies in a row before a person must look."""
    audit_rate: float = Field(default=0.0, ge=0, le=1)
    target_error: float = Field(default=0.02, gt=0, lt=1)
    blocked_terms: tuple[str, ...] = ()
    intents: tuple[str, ...] = (
        "greeting",
        "question",
        "complaint",
        "refund",
        "technical",
        "billing",
        "account",
        "other",
    )
    business_hours: BusinessHours | None = None
    """None: always open. Otherwise drafts outside the hours are held."""
    waiting_notice: str = "Thanks, I have passed this on: a person from our team will answer you here."
    paced_notice: str = "You are writing faster than we can answer. Everything is kept and will be answered in turn."
    busy_notice: str = "We have a lot of messages right now; yours is kept and will be answered."
    refused_notice: str = (
        "That is more than we can take at once: your last message was not kept. Please send it again {when}."
    )
    """`{when}` becomes words such as "in 5 minutes"."""

    def mode_of(self, channel: str, place_mode: Mode | None = None) -> Mode:
        """The autopilot's mode in this channel; a place of it (a Slack channel, a forum) may have its own."""
        return place_mode or self.channel_modes.get(channel, self.mode)


@dataclass(frozen=True, slots=True)
class Workspace:
    """One support team: the tenant."""

    id: str
    name: str
    settings: WorkspaceSettings
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a login in one workspace."""

    id: str
    workspace_id: str
    email: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Customer:
    """An end user, known by (workspace, channel, external id)."""

    id: str
    workspace_id: str
    channel: ChannelName
    external_id: str
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a customer sent with a message."""

    name: str
    url: str
    """Where an agent finds it."""
    media_type: str = ""
    size: int = 0
    """Bytes."""
    text: str | None = None
    """What a text-like file says, which is read into the message; None: a person has to look."""


@dataclass(frozen=True, slots=True)
class Message:
    """One text in a conversation."""

    id: str
    workspace_id: str
    conversation_id: str
    seq: int
    """1-based order within the conversation."""
    author: Author
    visibility: Visibility
    text: str
    created_at: datetime
    member_id: str | None = None
    member_name: str | None = None
    draft: Draft | None = None
    """The draft this reply was sent from."""
    vote: Vote | None = None
    """The customer's vote on this reply."""
    attachments: tuple[Attachment, ...] = ()
    """The customer's files that are not in the text."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One customer's matter in one channel thread; also the ticket."""

    id: str
    workspace_id: str
    channel: ChannelName
    thread: str
    """The channel's own id of the thread."""
    customer: Customer
    status: ConversationStatus
    subject: str
    intent: str | None
    priority: Priority
    assignee_id: str | None
    assignee_name: str | None
    summary: str
    bot_turns: int
    """Automatic replies since a person last wrote."""
    created_at: datetime
    updated_at: datetime
    first_line: str = ""
    """The newest customer message's beginning, for lists."""
    place: str = ""
    """Where in the channel the thread is: a Slack channel, a Discord forum; empty on the web."""
    waiting_since: datetime | None = None
    """Since when the customer has no answer; None: everything is answered."""
    is_overdue: bool = False
    """The members have been reminded of this wait: it is too long."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of the graph over the customer messages not yet answered."""

    id: str
    workspace_id: str
    conversation_id: str
    status: TurnStatus
    upto_seq: int
    """The last message that this turn answers; 0 until it starts."""
    attempts: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """An interrupted turn that waits, or waited, for a person."""

    id: str
    workspace_id: str
    conversation_id: str
    turn_id: str
    version: int
    """1-based; a redraft counts up. A decision names the version it was based on."""
    status: ReviewStatus
    draft: Draft
    held_because: tuple[str, ...]
    question: str
    """The customer's words that the draft answers."""
    triage: Triage
    created_at: datetime
    claimed_by: str | None = None
    """The name of the member who works on it."""
    claimed_by_id: str | None = None
    decision: Decision | None = None
    decided_at: datetime | None = None
    customer_name: str = ""
    channel: ChannelName = "web"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One reply on its way to a channel."""

    id: str
    workspace_id: str
    conversation_id: str
    message_id: str
    channel: ChannelName
    status: DeliveryStatus
    attempts: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of a loaded file that could not be used."""

    row: int
    """1-based, as a spreadsheet counts: the header is row 1."""
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """What an admin loaded."""

    id: str
    workspace_id: str
    filename: str
    status: DocumentStatus
    entries: int
    refused: tuple[Refused, ...]
    error: str | None
    size: int
    """Bytes."""
    created_at: datetime
    progress: int = 0
    """Percent made searchable so far, while it is loading."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the audit trail."""

    id: str
    workspace_id: str
    kind: str
    at: datetime
    conversation_id: str | None = None
    turn_id: str | None = None
    member_id: str | None = None
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One customer text as an adapter hands it to intake."""

    workspace_id: str
    channel: ChannelName
    external_id: str
    """The channel's id of this message: the same id again changes nothing."""
    thread: str
    customer_external_id: str
    text: str
    customer_name: str = ""
    customer_email: str | None = None
    subject: str = ""
    place: str = ""
    """Where in the channel the thread is, for the place's own mode."""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a channel people talk: a Slack channel, a Discord text or forum channel."""

    workspace_id: str
    channel: ChannelName
    team: str
    """The Slack team or Discord guild."""
    external_id: str
    name: str = ""
    mode: Mode | None = None
    """None: no support channel. Otherwise every message there is heard (`off`: mentions go to people)."""
    is_staff: bool = False
    """Reviews are posted here as cards."""


@dataclass(frozen=True, slots=True)
class Card:
    """A review shown in a staff place, to be kept in step with it."""

    id: str
    workspace_id: str
    review_id: str
    version: int
    channel: ChannelName
    team: str
    place: str
    external_id: str | None
    """The platform's id of the message; None until the platform has answered."""
    shows: ReviewStatus
    """What the card shows; it must be updated when the review is further."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A Slack team or Discord guild that belongs to a workspace."""

    workspace_id: str
    channel: ChannelName
    team: str
    enterprise: str = ""
    name: str = ""
    bot_user: str = ""
    secrets: str = field(default="", repr=False)
    """Tokens as the adapter's own JSON; encrypted at rest. Empty: the token comes from the environment."""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How a channel's connection is, as the process that holds it sees it."""

    channel: ChannelName
    is_on: bool = False
    connected_since: datetime | None = None
    """None: not connected."""
    last_event_at: datetime | None = None
    last_error: str = ""
    """One plain line; empty: none since it connected."""
    last_error_at: datetime | None = None
