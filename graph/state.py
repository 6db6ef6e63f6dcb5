"""State schema and dependencies: what travels through the machine, and the one frozen object its nodes depend on."""

from dataclasses import dataclass
from typing import Literal

from typing_extensions import TypedDict  # the studio's JSON schema needs this one before Python 3.12

from graph.classification import TextClassifier
from graph.llm.protocol import ChatModel
from storage.knowledge.search import Knowledge
from storage.records import (
    ChannelName,
    Decision,
    Draft,
    GuardResult,
    Hit,
    Line,
    Mode,
    Triage,
    Value,
    Verdict,
    WorkspaceSettings,
)
from storage.settings import Settings


class TurnInput(Value):
    """Everything a turn needs to know about its conversation, loaded once before the graph starts."""

    workspace_id: str
    conversation_id: str
    turn_id: str
    channel: ChannelName
    question: str
    """The customer messages not yet answered, joined by newlines, as the customer wrote them."""
    history: tuple[Line, ...] = ()
    """The last messages before the question, oldest first."""
    summary: str = ""
    """What was said before `history`."""
    bot_turns: int = 0
    """Automatic replies since a person last wrote."""
    settings: WorkspaceSettings = WorkspaceSettings()
    place_mode: Mode | None = None
    """The mode of the place within the channel, where it has its own."""
    unread_files: bool = False
    """The customer sent files that only a person can look at."""

    @property
    def mode(self) -> Mode:
        """What the autopilot may do here."""
        return self.settings.mode_of(self.channel, self.place_mode)


class State(TypedDict, total=False):
    """The graph's state; each node returns the keys it sets."""

    turn: TurnInput
    guard: GuardResult
    triage: Triage
    hits: tuple[Hit, ...]
    draft: Draft
    verdict: Verdict
    failure: str
    """Plain words for why no draft could be made (the chat model is down); a person gets the turn."""
    planted_instructions: bool
    """A passage that the chat model's draft rests on gives orders to the assistant."""
    guidance: tuple[str, ...]
    """What reviewers asked of a redraft, oldest first."""
    rejected_chunks: tuple[str, ...]
    """Chunks that rejected drafts of this turn rested on."""
    rejected_text: str
    """The draft that was rejected last."""
    decision: Decision
    version: int
    """1-based count of the drafts of this turn that a person has seen or will see."""
    ending: Literal["send", "handoff", "dismiss"]
    """How the run came to its end; absent while it waits for a person."""


@dataclass(frozen=True, slots=True)
class Deps:
    """What the nodes may use; they write nothing and send nothing."""

    settings: Settings
    knowledge: Knowledge
    classifier: TextClassifier
    """Embedding similarity to labelled examples."""
    model: ChatModel | None
    """None: the embedded default answers verbatim."""
