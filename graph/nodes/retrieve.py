"""Node: find what the knowledge says about the question."""

from langgraph.runtime import Runtime

from graph.state import Deps, State

MAX_HITS = 5
"""Hits that a draft may rest on."""


async def retrieve(state: State, runtime: Runtime[Deps]) -> State:
    """Search by the standalone question; chunks that a person rejected are left out. Raises UnavailableError."""
    query = _search_query(state)
    if not query:
        return {"hits": ()}
    workspace_id, rejected_chunks = state["turn"].workspace_id, frozenset(state.get("rejected_chunks", ()))
    return {"hits": await runtime.context.knowledge.search(workspace_id, query, MAX_HITS, rejected_chunks)}


def _search_query(state: State) -> str:
    """The question without its conversation, and what the reviewer asked of a redraft; nothing for small talk."""
    triage = state.get("triage")
    question = triage.standalone_question if triage else state["guard"].text
    return "\n".join([question, *state.get("guidance", ())[-1:]]).strip() if question else ""
