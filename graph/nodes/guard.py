"""Node: make the customer's text safe, and say when a person must look."""

from langgraph.runtime import Runtime

from graph.guard.inspection import inspect_message
from graph.state import Deps, State


async def guard(state: State, runtime: Runtime[Deps]) -> State:
    """Set `guard`. Raises UnavailableError when the embedder does."""
    deps, turn = runtime.context, state["turn"]
    blocked_terms = turn.settings.blocked_terms
    return {"guard": await inspect_message(turn.question, deps.settings.guard, blocked_terms, deps.classifier)}
