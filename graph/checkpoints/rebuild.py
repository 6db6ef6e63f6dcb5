"""What a graph knew when it stopped for a review, from the rows: its checkpoint is gone.

Such as after rows were brought back without their checkpoints. The decision is about the draft that the person saw, so
the draft comes from the review and is not made again.
"""

from graph.nodes.guard import examine
from graph.state import Deps, State, TurnInput
from storage.records import Review, Route, Verdict


async def state_from_rows(review: Review, turn: TurnInput, deps: Deps) -> State:
    """The state behind `check`; what reviewers asked of earlier drafts of the turn is not in it."""
    return State(
        turn=turn,
        guard=await examine(turn, deps.settings.guard, deps.classifier),
        triage=review.triage,
        draft=review.draft,
        verdict=Verdict(route=Route.REVIEW, held_because=review.held_because),
        version=review.version,
    )
