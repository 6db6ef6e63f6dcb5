"""The draft's node: fixed replies to small talk, the knowledge's words, and what becomes of a failing model."""

import pytest

from graph.drafting.authors import SMALL_TALK, VERBATIM
from graph.nodes.draft import ACKNOWLEDGEMENT, GREETING, draft
from graph.state import State
from storage.records import Triage
from tests.unit.graph.nodes.stubs import HIT, runtime, state
from tests.unit.graph.nodes.test_triage import StubModel


def drafting(**changes: object) -> State:
    return {**state(), "hits": (HIT,), **changes}  # type: ignore[typeddict-item]  # of its keys


@pytest.mark.parametrize(("intent", "text"), [("greeting", GREETING), ("other", ACKNOWLEDGEMENT)])
async def test_who_asks_nothing_gets_a_fixed_reply(intent: str, text: str) -> None:
    written = (await draft(drafting(triage=Triage(intent=intent)), runtime()))["draft"]
    assert (written.text, written.model, written.can_answer, written.confidence) == (text, SMALL_TALK, True, 1.0)


async def test_without_a_model_the_knowledge_speaks() -> None:
    update = await draft(drafting(), runtime())
    assert (update["draft"].text, update["draft"].model) == ("Click the link.", VERBATIM)
    assert "failure" not in update


async def test_after_a_failure_the_model_is_not_asked_again() -> None:
    update = await draft(drafting(failure="The chat model is down."), runtime(model=StubModel()))
    assert update["draft"].model == VERBATIM
    assert "failure" not in update


async def test_a_model_without_hits_is_not_asked_and_answers_nothing() -> None:
    written = (await draft(drafting(hits=()), runtime(model=StubModel())))["draft"]
    assert (written.can_answer, written.model) == (False, "stub")
