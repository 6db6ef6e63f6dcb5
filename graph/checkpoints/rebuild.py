"""Recovery of a lost checkpoint: the state at the interrupt, rebuilt from the rows.

Such as after rows were restored without their checkpoints. The decision is about the draft that the person saw, so
the draft comes from the review and is not made again.
"""

from graph.guard.inspection import inspect_message
from graph.state import Deps, State, TurnInput
from storage.records import Review, Route, Verdict


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
