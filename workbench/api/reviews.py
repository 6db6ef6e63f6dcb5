"""REST: reviews, the drafts that wait for a person, and the person's decision."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from storage.clock import now
from storage.records import ChannelName, Decision, DecisionKind, Draft, Member, Priority, Review, ReviewStatus
from workbench.api.dependencies import Context, CurrentMember
from workbench.api.schemas import (
    Body,
    Id,
    Item,
    Items,
    PageCursor,
    PageLimit,
    Text,
    page_items,
)
from workbench.context import WorkbenchContext

router = APIRouter(prefix="/reviews", tags=["reviews"])


class ReviewItem(Item):
    """A draft that waits, or waited, for a person."""

    id: str
    conversation_id: str
    version: int
    """A decision names the version that it was based on; a redraft counts up."""
    status: ReviewStatus
    draft: Draft
    confidence: float
    held_because: list[str]
    question: str
    """The customer's words that the draft answers."""
    intent: str
    priority: Priority
    customer: str
    """The customer's name."""
    channel: ChannelName
    claimed_by: str | None
    """The name of the member who works on it."""
    created_at: datetime


Version = Annotated[int, Field(ge=1, le=1_000_000)]


class ApprovalBody(Body):
    """Send the draft as it is."""

    version: Version


class EditBody(Body):
    """Send this text instead."""

    version: Version
    text: Text


class RejectionBody(Body):
    """Have a new draft made."""

    version: Version
    guidance: Text
    """What the next draft should do."""


class CurrentVersionBody(Body):
    """A decision that does not depend on the draft's words."""

    version: Version | None = None
    """Absent: the current one."""


class DecisionItem(Item):
    """The one decision on a review."""

    review_id: str
    kind: DecisionKind
    by: str
    """The member's name."""
    version: int
    at: datetime


@router.get("")
async def list_reviews(
    context: Context,
    member: CurrentMember,
    status: ReviewStatus | None = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Items[ReviewItem]:
    """The workspace's reviews, the longest waiting first."""
    page = await context.store.conversations.reviews.page(member.workspace_id, status, limit=limit, cursor=cursor)
    return page_items(page, _item)


@router.get("/{review_id}")
async def read_review(context: Context, member: CurrentMember, review_id: Id) -> ReviewItem:
    """One review."""
    return _item(await context.store.conversations.reviews.read(member.workspace_id, review_id))


@router.post("/{review_id}/approve")
async def approve_review(context: Context, member: CurrentMember, review_id: Id, body: ApprovalBody) -> DecisionItem:
    """Send the draft as it is."""
    return await _decide(context, member, review_id, Decision(kind=DecisionKind.APPROVE), body.version)


@router.post("/{review_id}/edit")
async def edit_review(context: Context, member: CurrentMember, review_id: Id, body: EditBody) -> DecisionItem:
    """Send this text instead of the draft's."""
    return await _decide(context, member, review_id, Decision(kind=DecisionKind.EDIT, text=body.text), body.version)


@router.post("/{review_id}/reject")
async def reject_review(context: Context, member: CurrentMember, review_id: Id, body: RejectionBody) -> DecisionItem:
    """Have a new draft made by this guidance; it waits for a person again."""
    decision = Decision(kind=DecisionKind.REJECT, guidance=body.guidance)
    return await _decide(context, member, review_id, decision, body.version)


@router.post("/{review_id}/escalate")
async def escalate_review(
    context: Context, member: CurrentMember, review_id: Id, body: CurrentVersionBody | None = None
) -> DecisionItem:
    """Take the conversation over; the bot is silent from now on."""
    return await _decide(
        context, member, review_id, Decision(kind=DecisionKind.ESCALATE), body.version if body else None
    )


@router.post("/{review_id}/dismiss")
async def dismiss_review(
    context: Context, member: CurrentMember, review_id: Id, body: CurrentVersionBody | None = None
) -> DecisionItem:
    """Send nothing."""
    return await _decide(
        context, member, review_id, Decision(kind=DecisionKind.DISMISS), body.version if body else None
    )


async def _decide(
    context: WorkbenchContext, member: Member, review_id: str, decision: Decision, version: int | None
) -> DecisionItem:
    if version is None:
        version = (await context.store.conversations.reviews.read(member.workspace_id, review_id)).version
    decided = await context.desk.decide(member, review_id, decision, based_on=version)
    return DecisionItem(
        review_id=decided.id,
        kind=decision.kind,
        by=member.name,
        version=version,
        at=decided.decided_at or now(),
    )


def _item(review: Review) -> ReviewItem:
    return ReviewItem(
        id=review.id,
        conversation_id=review.conversation_id,
        version=review.version,
        status=review.status,
        draft=review.draft,
        confidence=review.draft.confidence,
        held_because=list(review.held_because),
        question=review.question,
        intent=review.triage.intent,
        priority=review.triage.priority,
        customer=review.customer_name,
        channel=review.channel,
        claimed_by=review.claimed_by,
        created_at=review.created_at,
    )
