"""The check's node: which confidence a draft gets, and that policy has the last word."""

from graph.drafting.authors import GUARD, SMALL_TALK
from graph.nodes.check import check
from graph.state import State
from storage.records import Citation, Draft, Evidence, GuardAction, GuardResult, Mode, Route, Triage
from tests.unit.graph.nodes.stubs import HIT, QUESTION, state

WRITTEN = Draft(text="Click it.", can_answer=True, citations=(HIT.citation(),), model="gpt")


def checking(draft: Draft = WRITTEN, **changes: object) -> State:
    return {**state(), "hits": (HIT,), "draft": draft, **changes}  # type: ignore[typeddict-item]  # of its keys


async def test_what_a_model_wrote_is_assessed_by_the_passages_it_cites() -> None:
    update = await check(checking())
    assert update["draft"].confidence > 0.65
    assert update["draft"].evidence.features
    assert update["verdict"].route is Route.SEND


async def test_a_draft_that_brings_its_evidence_keeps_its_confidence() -> None:
    sure = WRITTEN.model_copy(update={"confidence": 0.5, "evidence": Evidence(features={"dense": 1.0})})
    assert (await check(checking(sure)))["draft"] == sure


async def test_nothing_is_assessed_without_an_answer_or_a_question() -> None:
    assert (await check(checking(Draft())))["draft"].confidence == 0
    small_talk = Draft(text="Hello!", can_answer=True, confidence=1.0, model=SMALL_TALK)
    assert (await check(checking(small_talk, triage=Triage(intent="greeting"))))["draft"] == small_talk


async def test_a_reply_of_the_guard_becomes_the_draft() -> None:
    stopped = GuardResult(action=GuardAction.REPLY, text="", reply="Please write words.")
    update = await check(checking(guard=stopped))
    assert (update["draft"].text, update["draft"].model) == ("Please write words.", GUARD)
    assert update["verdict"].route is Route.SEND


async def test_what_the_run_found_out_reaches_policy() -> None:
    for changes, reason in (
        ({"failure": "The chat model is down."}, "The chat model is down."),
        ({"planted_instructions": True}, "A source of this draft gives orders to the assistant: check it."),
        ({"version": 2}, "A person asked for this redraft."),
    ):
        assert (await check(checking(**changes)))["verdict"].held_because == (reason,)
    assert (await check({**checking(), "turn": state(mode=Mode.OFF)["turn"]}))["verdict"].route is Route.HANDOFF


async def test_the_cited_passage_is_assessed_though_another_was_found_before_it() -> None:
    other_chunk = HIT.chunk.model_copy(update={"id": "x", "title": "Where is my invoice?"})
    loose = {"chunk": other_chunk, "dense": 0.2, "agreement": 0.2, "matched": "Where is my invoice?"}
    other = HIT.model_copy(update=loose)
    cited_first, cited_last = [await check(checking(hits=hits)) for hits in ((HIT, other), (other, HIT))]
    assert cited_first["draft"].confidence == cited_last["draft"].confidence > 0.65


async def test_a_citation_that_is_no_hit_any_more_changes_nothing() -> None:
    gone = Citation(chunk_id="gone", document_id="d", title=QUESTION, text="")
    kept = await check(checking(WRITTEN.model_copy(update={"citations": (gone,)})))
    assert kept["draft"].confidence == (await check(checking()))["draft"].confidence
