"""Recovery of a lost checkpoint: the state at the interrupt, rebuilt from the rows.

It is lost after rows were restored without their checkpoints, and after an upgrade that moved a record's class, whose
name the old checkpoint holds. The decision is about the draft that the person saw, so the draft comes from the review
and is not made again.
"""

from collections.abc import Mapping
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple

from graph.guard.inspection import inspect_message
from graph.state import Deps, State, TurnInput
from storage.records import Draft, GuardResult, Review, Route, Triage, Verdict

RECORDS: Mapping[str, type] = {
    "turn": TurnInput,
    "guard": GuardResult,
    "triage": Triage,
    "draft": Draft,
    "verdict": Verdict,
}
"""What the state holds at the interrupt; a class that is not known any more comes back as a mapping."""


def is_usable(checkpoint: CheckpointTuple | None) -> bool:
    """Whether a run can go on from it."""
    if checkpoint is None:
        return False
    values: Mapping[str, Any] = checkpoint.checkpoint["channel_values"]
    return all(isinstance(values.get(name), record) for name, record in RECORDS.items())


async def state_from_rows(review: Review, turn: TurnInput, deps: Deps) -> State:
    """The state behind `check`; what reviewers asked of earlier drafts of the turn is not in it."""
    blocked_terms = turn.settings.blocked_terms
    return State(
        turn=turn,
        guard=await inspect_message(turn.question, deps.settings.guard, blocked_terms, deps.classifier),
        triage=review.triage,
        draft=review.draft,
        verdict=Verdict(route=Route.REVIEW, held_because=review.held_because),
        version=review.version,
    )
