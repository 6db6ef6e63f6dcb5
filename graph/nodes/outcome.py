"""Nodes: how a turn ends, as data that the turn runner commits.

Coroutines, because LangGraph hands plain functions to a thread.
"""

from graph.state import State
from storage.records import DecisionKind, Triage


async def send(state: State) -> State:
    """The reply to send: the draft, or the text that a person made of it."""
    decision, draft = state.get("decision"), state["draft"]
    if decision is not None and decision.kind is DecisionKind.EDIT:
        draft = draft.model_copy(update={"text": decision.text})
    return {"ending": "send", "draft": draft}


async def handoff(state: State) -> State:  # noqa: ARG001 - a node's signature
    """A person answers by hand."""
    return {"ending": "handoff"}


async def dismiss(state: State) -> State:  # noqa: ARG001 - a node's signature
    """Nothing is sent."""
    return {"ending": "dismiss"}


async def redraft(state: State) -> State:
    """Try again with what the reviewer asked for, without the chunks that the rejected draft rested on."""
    draft, triage, guidance = state["draft"], state.get("triage", Triage()), state["decision"].guidance
    if not triage.standalone_question:
        triage = triage.model_copy(update={"standalone_question": guidance})
    drafted_from = tuple(citation.chunk_id for citation in draft.citations[:1]) if draft.can_answer else ()
    return {
        "guidance": (*state.get("guidance", ()), guidance),
        "rejected_chunks": (*state.get("rejected_chunks", ()), *drafted_from),
        "rejected_text": draft.text,
        "version": state.get("version", 1) + 1,
        "failure": "",
        "triage": triage,
    }
