"""State machine of a turn's end: one pure decision over the turn, its conversation and the result of the run.

A run takes seconds, and the rows move meanwhile: the customer writes more, a person takes over, another worker runs the
same turn. `storage.turns.completion` reads the rows under the conversation's lock, asks here, and does what it is told.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from storage.records import ConversationStatus, DecisionKind, TurnStatus

MAX_RESTARTS = 3
"""How often newer words restart a turn before it answers what it has seen; the rest gets the next turn."""

OVER = (TurnStatus.DONE, TurnStatus.SUPERSEDED)
SETTLED = (ConversationStatus.RESOLVED, ConversationStatus.CLOSED)

Ending = Literal["send", "hold", "hand_off", "dismiss"]
"""How the run wants the turn to end: a reply, a person's decision, a person's reply, or nothing."""


@dataclass(frozen=True, slots=True)
class TurnState:
    """The turn as its row says."""

    status: TurnStatus
    restarts: int
    """Runs before this one that newer words have overtaken."""
    newest_version: int | None = None
    """Of its reviews; looked up for a run that goes on from a decision."""


@dataclass(frozen=True, slots=True)
class ConversationState:
    """The conversation as its row says."""

    status: ConversationStatus
    customer_seq: int
    """The customer's newest message."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What the run brings with it."""

    ending: Ending
    upto_seq: int
    """The last message that it has read."""
    version: int = 1
    """Of its draft."""
    decision: DecisionKind | None = None
    """The decision that it went on from; None for a run from the beginning."""


class Transition(Enum):
    """What the transaction does."""

    IGNORE = auto()
    """Nothing: the turn has ended already."""
    YIELD = auto()
    """Nothing: another worker has brought the turn further."""
    SILENCE = auto()
    """End the turn without a word: a person has the conversation."""
    RESTART = auto()
    """Leave the turn queued, and count that newer words have overtaken this run."""
    SUPERSEDE = auto()
    """End the turn: its draft cannot be decided any more."""
    COMMIT = auto()
    """End the turn as the run wants it."""
    COMMIT_AND_CONTINUE = auto()
    """The same, and queue a turn over what the customer has written since."""


def transition(turn: TurnState, conversation: ConversationState, run: RunEnd) -> Transition:
    """What follows from this end of a run for these rows."""
    if turn.status in OVER:
        return Transition.IGNORE
    if not _is_where_the_run_began(turn, run):
        return Transition.YIELD
    if conversation.status is ConversationStatus.ASSIGNED and run.decision is not DecisionKind.ESCALATE:
        return Transition.SILENCE
    is_overtaken = conversation.customer_seq > run.upto_seq
    # What was decided already goes out; newer words have a turn of their own then.
    if is_overtaken and turn.status is TurnStatus.QUEUED:
        return _overtaken(turn, run)
    if run.ending == "hold" and (is_overtaken or conversation.status in SETTLED):
        return Transition.SUPERSEDE
    return Transition.COMMIT


def _is_where_the_run_began(turn: TurnState, run: RunEnd) -> bool:
    """Queued, or decided about the very draft that the run went on from."""
    if run.decision is None:
        return turn.status is TurnStatus.QUEUED
    redrafts = 1 if run.decision is DecisionKind.REJECT else 0
    return turn.status is TurnStatus.DECIDED and turn.newest_version == run.version - redrafts


def _overtaken(turn: TurnState, run: RunEnd) -> Transition:
    """The customer has written more while the turn ran for the first time."""
    # However often: a draft that newer words have overtaken already cannot be decided.
    if turn.restarts < MAX_RESTARTS or run.ending == "hold":
        return Transition.RESTART
    # Who gets the conversation answers the rest too.
    return Transition.COMMIT if run.ending == "hand_off" else Transition.COMMIT_AND_CONTINUE
