"""The guard's node inspects the turn's question with both lists of blocked terms."""

from graph.nodes.guard import guard
from storage.records import GuardAction
from tests.unit.graph.nodes.stubs import runtime, state


async def test_a_safe_question_passes() -> None:
    result = (await guard(state(), runtime()))["guard"]
    assert (result.action, result.text) == (GuardAction.PASS, state()["guard"].text)


async def test_the_workspace_s_blocked_terms_hold_it() -> None:
    result = (await guard(state(blocked_terms=("password",)), runtime()))["guard"]
    assert result.action is GuardAction.HOLD
    assert "“password”" in result.reason
