"""Node: propose a reply, by the chat model from the hits, or verbatim from the best one."""

import asyncio

from langgraph.runtime import Runtime

from graph.drafting.authors import SMALL_TALK
from graph.drafting.llm import model_draft
from graph.drafting.verbatim import verbatim_draft
from graph.errors import ModelError
from graph.guard.injection import cites_planted_instructions
from graph.state import Deps, State
from storage.records import Draft

GREETING = "Hello! What can I help you with?"
ACKNOWLEDGEMENT = "You're welcome! Just write here if anything else comes up."


async def draft(state: State, runtime: Runtime[Deps]) -> State:
    """Set `draft`; with a failure the draft is the knowledge's own words, for the person who gets the turn."""
    triage, hits, model = state["triage"], state.get("hits", ()), runtime.context.model
    if not triage.standalone_question:
        text = GREETING if triage.intent == "greeting" else ACKNOWLEDGEMENT
        return {"draft": Draft(text=text, can_answer=True, confidence=1.0, model=SMALL_TALK)}
    if model is None or state.get("failure"):
        return {"draft": verbatim_draft(triage.standalone_question, hits)}
    try:
        written = await model_draft(state, model)
    except ModelError as error:
        return {"draft": verbatim_draft(triage.standalone_question, hits), "failure": error.detail}
    planted = await asyncio.to_thread(cites_planted_instructions, written)
    return {"draft": written, "planted_instructions": planted}
