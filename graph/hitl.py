"""Human in the loop: a review in the shapes of LangChain's human-in-the-loop front ends.

Source: the types HITLRequest and HITLResponse of langchain 1.x (agents/middleware/human_in_the_loop.py).
"""

from typing import Any

from graph.state import State
from storage.errors import InvalidError
from storage.records import Decision, DecisionKind

REPLY_ACTION = "send_reply"
ALLOWED_DECISIONS = ["approve", "edit", "reject", "respond"]
"""What standard front ends offer; Deskhand's own decisions `escalate` and `dismiss` are accepted as well."""


class DecisionShapeError(InvalidError):
    """This is no decision in the human-in-the-loop shape: {"decisions": [{"type": "approve"}]}."""

    kind = "decision-shape"


def request_for(state: State) -> dict[str, Any]:
    """What the interrupt carries: one action, the reply to send, with why it was held."""
    draft, verdict = state["draft"], state["verdict"]
    reasons = "\n".join(f"- {reason}" for reason in verdict.held_because)
    return {
        "action_requests": [
            {
                "name": REPLY_ACTION,
                "args": {"text": draft.text},
                "description": f"The customer wrote:\n{state['turn'].question}\n\nHeld because:\n{reasons}",
            }
        ],
        "review_configs": [{"action_name": REPLY_ACTION, "allowed_decisions": ALLOWED_DECISIONS}],
    }


def response_for(decision: Decision) -> dict[str, Any]:
    """What resumes the interrupt: a HITLResponse, with the member's name and id beside it."""
    by = {"member_id": decision.member_id, "member_name": decision.member_name}
    body: dict[str, Any]
    match decision.kind:
        case DecisionKind.EDIT:
            body = {"edited_action": {"name": REPLY_ACTION, "args": {"text": decision.text}}}
        case DecisionKind.REJECT:
            body = {"message": decision.guidance}
        case DecisionKind.APPROVE | DecisionKind.ESCALATE | DecisionKind.DISMISS:
            body = {}
    return {"decisions": [{"type": str(decision.kind), **body, **by}]}


def decision_from(response: Any) -> Decision:
    """The decision in a HITLResponse; DecisionShapeError if it is none."""
    try:
        (answer,) = response["decisions"]
        by = {"member_id": str(answer.get("member_id", "")), "member_name": str(answer.get("member_name", ""))}
        match answer["type"]:
            case "edit":
                return Decision(kind=DecisionKind.EDIT, text=answer["edited_action"]["args"]["text"], **by)
            case "respond":
                return Decision(kind=DecisionKind.EDIT, text=answer["message"], **by)
            case "reject":
                return Decision(kind=DecisionKind.REJECT, guidance=answer.get("message", ""), **by)
            case kind:
                return Decision(kind=DecisionKind(kind), **by)
    except (KeyError, TypeError, ValueError) as error:
        raise DecisionShapeError from error
