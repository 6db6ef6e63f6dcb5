"""Conversations, their messages, and the deliveries of replies."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from storage.records.base import Value
from storage.records.channel import ChannelName
from storage.records.enums import Author, ConversationStatus, DeliveryStatus, Priority, Visibility
from storage.records.people import Customer
from storage.records.turn import Draft

Vote = Literal["up", "down"]


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


class Line(Value):
    """One message of a conversation as it is kept with a turn: who said what, personal data not yet masked."""

    author: Author
    text: str


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
class Delivery:
    """One reply on its way to a channel."""

    id: str
    workspace_id: str
    conversation_id: str
    message_id: str
    channel: ChannelName
    status: DeliveryStatus
    attempts: int
