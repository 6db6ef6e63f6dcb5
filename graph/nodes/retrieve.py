"""Find what the knowledge says about the question."""

from langgraph.runtime import Runtime

from graph.state import Deps, State

LIMIT = 5
"""Hits that a draft may rest on."""


async def retrieve(state: State, runtime: Runtime[Deps]) -> State:
    """Search by the standalone question; chunks that a person rejected are left out. Raises UnavailableError."""
    knowledge = runtime.context.knowledge
    query = _query(state)
    hits = await knowledge.search(state["turn"].workspace_id, query, LIMIT, frozenset(state.get("rejected", ())))
    return {"hits": hits}


def _query(state: State) -> str:
    """The question without its conversation, and what the reviewer asked of a redraft."""
    triage = state.get("triage")
    question = triage.standalone_question if triage and triage.standalone_question else state["guard"].text
    return "\n".join([question, *state.get("guidance", ())[-1:]]).strip()
