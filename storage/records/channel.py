"""Chat channels: places, installations, review cards and connection states."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from storage.records.enums import Mode, ReviewStatus

ChannelName = Literal["slack", "discord", "web"]


READ_FROM_ROWS: frozenset[ChannelName] = frozenset({"web"})
"""Channels whose customers read the rows: the commit that writes a reply delivers it."""


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
    shown_status: ReviewStatus
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
