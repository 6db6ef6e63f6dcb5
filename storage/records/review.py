"""Reviews and the decisions that end them."""

from dataclasses import dataclass
from datetime import datetime

from storage.records.base import Value
from storage.records.channel import ChannelName
from storage.records.enums import DecisionKind, ReviewStatus
from storage.records.turn import Draft, Triage


class Decision(Value):
    """What a person decided about a review."""

    kind: DecisionKind
    text: str = ""
    """The reply as edited, for `edit`."""
    guidance: str = ""
    """What the next draft should do, for `reject`."""
    member_id: str = ""
    member_name: str = ""


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
