"""REST: a draft for a question, and what would happen with it; nothing is kept or sent."""

from fastapi import APIRouter

from storage.records import Draft, Priority, Route, Triage, Verdict
from workbench.api.dependencies import Context, CurrentMember
from workbench.api.schemas import (
    Body,
    CitationItem,
    Item,
    NonEmptyText,
    citation_items,
)

router = APIRouter(prefix="/answers", tags=["answers"])


class QuestionBody(Body):
    """What a customer may ask."""

    question: NonEmptyText


class AnswerItem(Item):
    """What the desk would reply."""

    text: str
    confidence: float
    """Calibrated probability, 0 to 1, that the reply is right."""
    citations: list[CitationItem]
    can_answer: bool
    follow_ups: list[str]
    would: Route
    """`send`: the bot alone; `review`: after a person's decision; `handoff`: a person answers by hand."""
    held_because: list[str]
    """Every rule that spoke against sending it alone, in plain words."""
    intent: str
    priority: Priority


@router.post("")
async def propose_answer(context: Context, member: CurrentMember, body: QuestionBody) -> AnswerItem:
    """Run the desk on a question with this workspace's knowledge and settings."""
    workspace = await context.store.accounts.workspaces.read(member.workspace_id)
    return answer_of(*await context.desk.propose(workspace.id, body.question, workspace.settings))


def answer_of(draft: Draft, verdict: Verdict, triage: Triage) -> AnswerItem:
    """A proposal as an answer."""
    return AnswerItem(
        text=draft.text,
        confidence=draft.confidence,
        citations=citation_items(draft.citations),
        can_answer=draft.can_answer,
        follow_ups=list(draft.follow_ups),
        would=verdict.route,
        held_because=list(verdict.held_because),
        intent=triage.intent,
        priority=triage.priority,
    )
