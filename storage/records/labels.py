"""Labels: the words that every screen uses for a channel and for a decision."""

from dataclasses import dataclass

from storage.records.channel import ChannelName
from storage.records.enums import DecisionKind

CHANNEL_NAMES: dict[ChannelName, str] = {"web": "Web", "slack": "Slack", "discord": "Discord"}
"""In the order in which screens list them."""
CHANNEL_PHRASES: dict[ChannelName, str] = {"slack": "in Slack", "discord": "on Discord", "web": "in the web chat"}
"""As in "Anna asks on Discord"."""


@dataclass(frozen=True, slots=True)
class DecisionLabel:
    """One decision in the forms that a sentence or a chart needs."""

    title: str
    """A chart's or a filter's: "Edited"."""
    verb: str
    """After a name, where the draft is in sight: "Anna edited and sent"."""
    phrase: str
    """After a name, where it is not: "Anna sent an edited reply"."""
    passive: str
    """Before a name: "Edited and sent by Anna"."""
    icon: str


DECISION_LABELS: dict[DecisionKind, DecisionLabel] = {
    DecisionKind.APPROVE: DecisionLabel("Approved", "approved", "approved the draft", "Approved", "✅"),
    DecisionKind.EDIT: DecisionLabel("Edited", "edited and sent", "sent an edited reply", "Edited and sent", "✏️"),
    DecisionKind.REJECT: DecisionLabel(
        "Rejected", "rejected", "asked for another draft", "Sent back with guidance", "↩️"
    ),
    DecisionKind.ESCALATE: DecisionLabel("Taken over", "took over", "took over", "Taken over", "🙋"),
    DecisionKind.DISMISS: DecisionLabel("Dismissed", "dismissed", "dismissed the draft", "Dismissed", "🗑️"),
}
