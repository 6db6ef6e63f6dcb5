"""What the graph finds out in a turn: stored as JSON and carried in its state."""

from pydantic import Field

from storage.records.base import Value
from storage.records.enums import GuardAction, Priority, Route, Sentiment
from storage.records.knowledge import Citation


class Sentence(Value):
    """One sentence of a draft with the chunks it rests on."""

    text: str
    chunk_ids: tuple[str, ...] = ()


class Triage(Value):
    """What kind of message this is."""

    intent: str = "other"
    priority: Priority = Priority.MEDIUM
    sentiment: Sentiment = Sentiment.NEUTRAL
    language: str = "en"
    """ISO 639-1 code."""
    wants_human: bool = False
    standalone_question: str = ""
    """The question, readable without the conversation; personal data masked."""


class GuardResult(Value):
    """The customer's text made safe, and what the guard found in it."""

    action: GuardAction
    text: str
    """The new customer text with control characters removed and personal data masked."""
    masked: dict[str, str] = Field(default_factory=dict)
    """Placeholder to original value, such as `[EMAIL_1]` to the address; shown to agents only."""
    reason: str = ""
    """Plain words for why it was held or answered by rule."""
    reply: str = ""


class Evidence(Value):
    """What the confidence rests on."""

    features: dict[str, float] = Field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    """Plain words for the agent, strongest first."""


class Draft(Value):
    """The reply that the graph proposes."""

    text: str = ""
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    can_answer: bool = False
    confidence: float = 0.0
    """Calibrated probability, 0 to 1, that this reply is right."""
    evidence: Evidence = Evidence()
    follow_ups: tuple[str, ...] = ()
    model: str = ""
    """The chat model's name, or `verbatim`."""
    prompt_version: str = ""


class Verdict(Value):
    """What policy decided about a draft, with every reason in plain words."""

    route: Route
    held_because: tuple[str, ...] = ()
    audited: bool = False
    """The reply may go out alone, but was drawn for a person to check."""
