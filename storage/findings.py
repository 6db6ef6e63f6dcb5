"""What the graph finds out on the way of a message, and what a person decides: stored as JSON, carried in the state."""

from pydantic import BaseModel, ConfigDict, Field

from storage.statuses import ChunkKind, DecisionKind, GuardAction, Priority, Route, Sentiment


class Value(BaseModel):
    """A frozen value that is stored as JSON and travels through the graph's state."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Chunk(Value):
    """A piece of knowledge that is found and cited."""

    id: str
    workspace_id: str
    document_id: str
    kind: ChunkKind
    title: str
    """What a citation shows: the FAQ question, or the document's title and heading path."""
    text: str
    """The FAQ entry's answer verbatim, or the passage."""
    alternatives: tuple[str, ...] = ()
    """Other phrasings of the FAQ question."""
    tags: tuple[str, ...] = ()
    position: int = 0
    """0-based place in the document."""
    url: str = ""
    """Its public http(s) address; empty if it has none."""


class Hit(Value):
    """A chunk found for a query; the phrasings of one FAQ entry are one hit."""

    chunk: Chunk
    score: float
    """The fused score that orders the hits; higher is better."""
    dense: float
    """Cosine of the query and the chunk's best text, -1 to 1."""
    keyword: float
    """BM25 of the query and the chunk's best text, 0 and up."""
    matched: str
    """The phrasing or passage that matched best."""
    agreement: float = 0.0
    """Mean cosine of the query and the chunk's three best texts, -1 to 1."""


class Citation(Value):
    """A chunk that a sentence of the draft rests on."""

    chunk_id: str
    document_id: str
    title: str
    text: str
    url: str = ""
    """Where the customer can read it; empty if it has no public address."""


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


class Decision(Value):
    """What a person decided about a review."""

    kind: DecisionKind
    text: str = ""
    """The reply as edited, for `edit`."""
    guidance: str = ""
    """What the next draft should do, for `reject`."""
    member_id: str = ""
    member_name: str = ""
