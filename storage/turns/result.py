"""What a run of the graph came to, and what became of that when it met the rows."""

from dataclasses import dataclass
from enum import Enum, auto

from storage.records import Draft, Triage


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What a run of the graph came to: a draft over what the customer had written when the run began."""

    turn_id: str
    workspace_id: str
    conversation_id: str
    upto_seq: int
    """The last message that the run has read; what the customer wrote after it is newer."""
    question: str
    """The customer's messages that the draft answers, joined by newlines."""
    draft: Draft
    triage: Triage
    version: int = 1
    """Of the draft: one more after each rejection."""
    held_because: tuple[str, ...] = ()
    """Why a person must look; empty for what may go out by itself."""
    checkpoint_id: str | None = None
    """The durable checkpoint that a held run goes on from."""


class CommitResult(Enum):
    """What became of a run's result when it met the rows; the caller need not look at them again."""

    COMMITTED = auto()
    """The turn has ended as the run came out, or waits for a person."""
    CONTINUED = auto()
    """Committed, though the customer had written more: a new turn over the rest is queued and needs a job."""
    RESTART = auto()
    """The customer wrote more: the turn is still queued and runs again over everything unanswered."""
    DROPPED = auto()
    """The turn had ended already, was overtaken, or a person has the conversation: nothing is sent."""
    SUPERSEDED_BY_WORKER = auto()
    """Another worker runs the same turn and got further: what it has kept stays."""
