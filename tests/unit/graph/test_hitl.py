"""Reviews and decisions in the shapes that human-in-the-loop front ends know."""

from typing import Any

import pytest

from graph.hitl import DecisionShapeError, decision_from, request_for, response_for
from graph.state import State, TurnInput
from storage.records import Decision, DecisionKind, Draft, Route, Verdict


def test_the_request_is_one_reply_to_send_with_what_was_asked_and_why_it_was_held() -> None:
    turn = TurnInput(workspace_id="w", conversation_id="c", turn_id="t", channel="web", question="How?")
    verdict = Verdict(route=Route.REVIEW, held_because=("Unsure.", "Closed."))
    request = request_for(State(turn=turn, draft=Draft(text="Like this."), verdict=verdict))
    (action,) = request["action_requests"]
    (config,) = request["review_configs"]
    assert action["name"] == config["action_name"] == "send_reply"
    assert action["args"] == {"text": "Like this."}
    assert action["description"] == "The customer wrote:\nHow?\n\nHeld because:\n- Unsure.\n- Closed."
    assert config["allowed_decisions"] == ["approve", "edit", "reject", "respond"]


@pytest.mark.parametrize("kind", DecisionKind)
def test_every_decision_comes_through_as_it_was_made(kind: DecisionKind) -> None:
    text = "Other words." if kind is DecisionKind.EDIT else ""
    guidance = "Shorter." if kind is DecisionKind.REJECT else ""
    decision = Decision(kind=kind, text=text, guidance=guidance, member_id="m", member_name="Alex")
    assert decision_from(response_for(decision)) == decision


def test_a_response_of_a_standard_front_end_is_an_edit() -> None:
    answer = {"decisions": [{"type": "respond", "message": "By hand."}]}
    assert decision_from(answer) == Decision(kind=DecisionKind.EDIT, text="By hand.")


@pytest.mark.parametrize(
    "response",
    [None, {}, {"decisions": []}, {"decisions": [{}]}, {"decisions": [{"type": "maybe"}]},
     {"decisions": [{"type": "edit"}]}, {"decisions": [{"type": "approve"}, {"type": "approve"}]}],
)  # fmt: skip
def test_anything_else_is_refused(response: Any) -> None:
    with pytest.raises(DecisionShapeError):
        decision_from(response)
