"""A workspace, its settings, and its audit trail."""

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import Field

from storage.records.base import Value
from storage.records.enums import Mode, Priority


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
