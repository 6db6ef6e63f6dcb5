"""Node: how sure the desk may be of the draft, and what policy makes of it."""

from graph.confidence import assess
from graph.drafting.authors import GUARD
from graph.policy import Case, decide
from graph.state import State
from storage import clock
from storage.records import Draft, GuardAction, Triage


async def check(state: State) -> State:
    """Set the draft's confidence with its evidence, and the verdict."""
    turn, guard = state["turn"], state["guard"]
    triage = state.get("triage", Triage())
    draft = _assessed(state, triage)
    case = Case(
        turn_id=turn.turn_id,
        channel=turn.channel,
        settings=turn.settings,
        guard=guard,
        triage=triage,
        draft=draft,
        bot_turns=turn.bot_turns,
        failure=state.get("failure", ""),
        planted_instructions=state.get("planted_instructions", False),
        version=state.get("version", 1),
        at=clock.now(),
        place_mode=turn.place_mode,
        unread_files=turn.unread_files,
    )
    return {"draft": draft, "triage": triage, "verdict": decide(case)}


def _assessed(state: State, triage: Triage) -> Draft:
    guard = state["guard"]
    if guard.action is GuardAction.REPLY:
        return Draft(text=guard.reply, can_answer=True, confidence=1.0, model=GUARD)
    draft = state.get("draft", Draft())
    if not draft.can_answer or not triage.standalone_question or draft.evidence.features:
        return draft  # a verbatim one comes with its evidence
    cited = {citation.chunk_id for citation in draft.citations}
    # What the draft rests on comes first: the evidence is about that, not about what else was found.
    hits = sorted(state.get("hits", ()), key=lambda hit: hit.chunk.id not in cited)
    confidence, evidence = assess(triage.standalone_question, hits)
    return draft.model_copy(update={"confidence": confidence, "evidence": evidence})
