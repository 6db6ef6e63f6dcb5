"""Node: what kind of message this is, by the chat model or by similarity to labelled examples."""

from langgraph.runtime import Runtime

from graph.errors import ModelError
from graph.state import Deps, State
from graph.triage.embedded import embedded_triage
from graph.triage.llm import model_triage


async def triage(state: State, runtime: Runtime[Deps]) -> State:
    """Set `triage`; a chat model that fails is replaced by the embedded triage, and a person gets the turn."""
    turn, guard, deps = state["turn"], state["guard"], runtime.context
    failure = ""
    if deps.model is not None:
        try:
            return {"triage": await model_triage(turn, guard, deps.model)}
        except ModelError as error:
            failure = error.detail
    return {
        "triage": await embedded_triage(guard.text, turn.history, turn.settings, deps.classifier),
        "failure": failure,
    }
