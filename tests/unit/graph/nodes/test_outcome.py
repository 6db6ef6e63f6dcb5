"""How a turn ends, and what a rejection leaves for the next draft."""

from graph.nodes.outcome import dismiss, handoff, redraft, send
from graph.state import State
from storage.records import Decision, DecisionKind, Draft, Triage
from tests.unit.graph.nodes.stubs import HIT, QUESTION, state

DRAFT = Draft(text="Click it.", can_answer=True, citations=(HIT.citation(),))


def decided(kind: DecisionKind, **changes: object) -> State:
    decision = Decision(kind=kind, text="Other words.", guidance="Shorter.")
    return {**state(), "draft": DRAFT, "decision": decision, **changes}  # type: ignore[typeddict-item]  # of its keys


async def test_the_draft_is_sent_as_it_is_or_as_a_person_made_it() -> None:
    assert await send({**state(), "draft": DRAFT}) == {"ending": "send", "draft": DRAFT}
    assert (await send(decided(DecisionKind.APPROVE)))["draft"] == DRAFT
    edited = (await send(decided(DecisionKind.EDIT)))["draft"]
    assert (edited.text, edited.citations) == ("Other words.", DRAFT.citations)


async def test_a_person_takes_it_or_nothing_is_sent() -> None:
    assert await handoff(state()) == {"ending": "handoff"}
    assert await dismiss(state()) == {"ending": "dismiss"}


async def test_a_redraft_leaves_out_what_the_rejected_draft_rested_on() -> None:
    update = await redraft(decided(DecisionKind.REJECT, guidance=("Older.",), rejected_chunks=("x",), failure="Down."))
    assert update["guidance"] == ("Older.", "Shorter.")
    assert update["rejected_chunks"] == ("x", HIT.chunk.id)
    assert (update["rejected_text"], update["version"], update["failure"]) == ("Click it.", 2, "")
    assert update["triage"].standalone_question == QUESTION


async def test_candidates_of_a_draft_that_answered_nothing_may_be_tried() -> None:
    nothing = DRAFT.model_copy(update={"can_answer": False})
    assert (await redraft(decided(DecisionKind.REJECT, draft=nothing)))["rejected_chunks"] == ()


async def test_where_nothing_was_asked_the_guidance_is_the_question() -> None:
    update = await redraft(decided(DecisionKind.REJECT, triage=Triage(intent="other")))
    assert update["triage"].standalone_question == "Shorter."
