"""Node: the human interrupt, where the graph stops until a person has decided."""

from typing import Any

from langgraph.types import interrupt

from graph.hitl import decision_from, request_for
from graph.state import State


def review(state: State) -> dict[str, Any]:
    """Pause, and on resume give the decision. Nothing else: the node runs again from its first line."""
    return {"decision": decision_from(interrupt(request_for(state)))}
