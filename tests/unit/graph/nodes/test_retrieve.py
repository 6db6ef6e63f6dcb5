"""What is searched for, and what is left out. That it is found: tests/contract/knowledge/test_retrieve_node.py."""

import pytest

from graph.nodes.retrieve import MAX_HITS, retrieve
from graph.state import State
from storage.errors import UnavailableError
from storage.records import Triage
from tests.unit.graph.nodes.stubs import HIT, QUESTION, StubKnowledge, runtime, state


async def asked(**changes: object) -> list[tuple[str, str, int, frozenset[str]]]:
    knowledge = StubKnowledge()
    changed: State = {**state(), **changes}  # type: ignore[typeddict-item]  # of its keys
    await retrieve(changed, runtime(knowledge))
    return knowledge.asked


async def test_the_standalone_question_is_searched_for_in_the_workspace() -> None:
    assert await asked() == [("w", QUESTION, MAX_HITS, frozenset())]
    assert (await retrieve(state(), runtime()))["hits"] == (HIT,)


async def test_the_last_guidance_goes_with_it_and_rejected_chunks_stay_out() -> None:
    (call,) = await asked(guidance=("older", "newest"), rejected_chunks=("a", "b"))
    assert call == ("w", f"{QUESTION}\nnewest", MAX_HITS, frozenset({"a", "b"}))


async def test_small_talk_is_not_searched_for() -> None:
    assert await asked(triage=Triage(intent="greeting"), guidance=("newest",)) == []


async def test_a_knowledge_that_is_gone_is_said_to_be() -> None:
    with pytest.raises(UnavailableError):
        await retrieve(state(), runtime(StubKnowledge(broken=True)))
