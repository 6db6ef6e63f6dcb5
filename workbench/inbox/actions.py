"""The inbox's actions: what an agent's click does through the desk, and what they are told about it."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from storage.conversations.actions import MAX_REPLY_LENGTH
from storage.errors import (
    AlreadyDecidedError,
    DeskhandError,
    InvalidError,
    StaleError,
    UnavailableError,
)
from storage.records import Decision, DecisionKind, Member, Priority
from workbench.context import WorkbenchContext
from workbench.ui.server_functions import Notice


class ActionKind(StrEnum):
    """Everything that the inbox offers."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    DISMISS = "dismiss"
    TAKE_OVER = "take_over"
    CLAIM = "claim"
    RELEASE = "release"
    REPLY = "reply"
    NOTE = "note"
    HAND_BACK = "hand_back"
    RESOLVE = "resolve"
    ASSIGN = "assign"
    PRIORITY = "priority"


class Action(BaseModel):
    """One action as the browser asks for it; ids are only ever looked up in the member's own workspace."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: ActionKind
    conversation_id: str = Field(max_length=64)
    review_id: str = Field(default="", max_length=64)
    version: int = 0
    text: str = Field(default="", max_length=MAX_REPLY_LENGTH)
    """A reply, a note or guidance."""
    value: str = Field(default="", max_length=64)
    """A member's id or a priority."""


@dataclass(frozen=True, slots=True)
class ActionResult(Notice):
    """What the agent is told, and what the screen does next."""

    advance: bool = False
    """Go on to the next conversation."""
    stale: bool = False
    """The agent's text was not used, and the draft it belonged to is gone."""


DECISIONS = {
    ActionKind.APPROVE: (DecisionKind.APPROVE, "Approved: the reply is on its way to the customer."),
    ActionKind.EDIT: (DecisionKind.EDIT, "Sent: your version is on its way to the customer."),
    ActionKind.REJECT: (DecisionKind.REJECT, "Rejected: another draft is being written. Nothing was sent."),
    ActionKind.DISMISS: (DecisionKind.DISMISS, "Dismissed: nothing was sent to the customer."),
    ActionKind.TAKE_OVER: (DecisionKind.ESCALATE, "You have this conversation now: write your reply."),
}
ADVANCING_ACTIONS = (ActionKind.APPROVE, ActionKind.EDIT, ActionKind.DISMISS)


async def perform_action(context: WorkbenchContext, member: Member, action: Action) -> ActionResult:
    """Do it; what cannot be done is told with what happened to the customer's message."""
    try:
        if action.review_id and action.kind in DECISIONS:
            return await _decide(context, member, action)
        return ActionResult(await _change_conversation(context, member, action))
    except AlreadyDecidedError as error:
        return ActionResult(
            f"{error.detail} Your decision changed nothing, and nothing was sent twice.", ok=False, stale=True
        )
    except StaleError as error:
        return ActionResult(f"Nothing was sent. {error.detail}", ok=False, stale=True)
    except UnavailableError as error:
        return ActionResult(f"Nothing was sent: {error.detail} The customer's message is kept; try again.", ok=False)
    except DeskhandError as error:
        return ActionResult(f"Nothing was sent: {error.detail}", ok=False)


async def _decide(context: WorkbenchContext, member: Member, action: Action) -> ActionResult:
    kind, words = DECISIONS[action.kind]
    text = action.text if kind is DecisionKind.EDIT else ""
    guidance = action.text if kind is DecisionKind.REJECT else ""
    decision = Decision(kind=kind, text=text, guidance=guidance)
    await context.desk.decide(member, action.review_id, decision, based_on=action.version)
    return ActionResult(words, advance=action.kind in ADVANCING_ACTIONS)


async def _change_conversation(context: WorkbenchContext, member: Member, action: Action) -> str:
    match action.kind:
        case ActionKind.CLAIM | ActionKind.RELEASE:
            return await _claim(context, member, action)
        case ActionKind.ASSIGN | ActionKind.PRIORITY:
            return await _set_field(context, member, action)
        case ActionKind.REPLY:
            await context.desk.reply(member, action.conversation_id, action.text)
            return "Sent: your reply is on its way to the customer."
        case ActionKind.NOTE:
            await context.desk.note(member, action.conversation_id, action.text)
            return "Noted, for members only."
        case _:
            return await _change_owner(context, member, action)


async def _change_owner(context: WorkbenchContext, member: Member, action: Action) -> str:
    match action.kind:
        case ActionKind.TAKE_OVER:
            await context.desk.take_over(member, action.conversation_id)
            return "You have this conversation now: write your reply."
        case ActionKind.HAND_BACK:
            await context.desk.hand_back(member, action.conversation_id)
            return "Handed back: the bot answers here again."
        case ActionKind.RESOLVE:
            await context.desk.resolve(member.workspace_id, action.conversation_id, member)
            return "Resolved. A new message of the customer opens it again."
        case _:
            return "This draft is gone; nothing was sent."


async def _claim(context: WorkbenchContext, member: Member, action: Action) -> str:
    if action.kind is ActionKind.RELEASE:
        await context.desk.release(member, action.review_id)
        return "Released: anybody may take it."
    await context.desk.claim(member, action.review_id)
    return "Claimed: your colleagues see that you work on it."


async def _set_field(context: WorkbenchContext, member: Member, action: Action) -> str:
    if action.kind is ActionKind.ASSIGN:
        await context.desk.assign(member, action.conversation_id, action.value)
        return "Assigned."
    if action.value not in set(Priority):
        raise InvalidError("There is no such priority.")
    priority = Priority(action.value)
    await context.desk.set_priority(member, action.conversation_id, priority)
    return f"Priority is {priority} now."
