"""Recovery of a lost checkpoint: the state at the interrupt, rebuilt from the rows.

It is lost after rows were restored without their checkpoints, and after an upgrade that changed the graph: a checkpoint
names nodes, channels and classes, and one that names others ends a resumed run without a result. So each carries the
version of the graph that wrote it, and any other version's is rebuilt. The decision is about the draft that the person
saw, so the draft comes from the review and is not made again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple

from graph.checkpoints.checkpointer import GRAPH_VERSION
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


def graph_version(nodes: Iterable[str], channels: Iterable[str], records: Mapping[str, type] = RECORDS) -> str:
    """A digest of what a checkpoint depends on: the names of nodes and channels, and the records with their fields."""
    classes = [
        (name, record.__module__, record.__qualname__, sorted(getattr(record, "model_fields", ())))
        for name, record in sorted(records.items())
    ]
    shape = json.dumps([sorted(nodes), sorted(channels), classes])
    return hashlib.blake2b(shape.encode(), digest_size=16).hexdigest()


def is_usable(checkpoint: CheckpointTuple | None, version: str) -> bool:
    """Whether a run of this version of the graph can go on from it."""
    if checkpoint is None or checkpoint.metadata.get(GRAPH_VERSION) != version:
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
