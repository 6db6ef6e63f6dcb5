"""Reviews: the drafts that wait for a person, and the one decision that each of them gets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.conversations import messages
from storage.conversations.drafts import draft_columns, draft_of
from storage.database.engine import Database
from storage.database.paging import Page, decode_cursor, page_of
from storage.database.tables import (
    conversations,
    customers,
    decisions,
    drafts,
    members,
    reviews,
    turns,
)
from storage.database.tables import messages as message_table
from storage.errors import (
    AlreadyDecidedError,
    InvalidError,
    NotFoundError,
    StaleError,
)
from storage.records import (
    ConversationStatus,
    Decision,
    DecisionKind,
    Member,
    Review,
    ReviewStatus,
    Triage,
    TurnStatus,
    Visibility,
    new_id,
)

claimants = members.alias("claimants")
deciders = members.alias("deciders")


@dataclass(frozen=True, slots=True)
class DecidedReview:
    """A decision that won, and the turn whose graph must resume."""

    review: Review
    turn_id: str
    conversation_id: str
    workspace_id: str


class Reviews:
    """Lists, claims and decides reviews."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, workspace_id: str, review_id: str) -> Review:
        """One review; NotFoundError outside its workspace."""
        async with self._database.read() as connection:
            return review_of(await _row(connection, workspace_id, review_id))

    async def by_id(self, review_id: str) -> Review | None:
        """One review for the desk's own jobs, which know no workspace."""
        async with self._database.read() as connection:
            row = (
                (await connection.execute(reading_reviews().where(reviews.c.id == review_id))).mappings().one_or_none()
            )
        return review_of(row) if row else None

    async def page(
        self, workspace_id: str, status: ReviewStatus | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Review]:
        """Reviews, the longest waiting first."""
        query = reading_reviews().where(reviews.c.workspace_id == workspace_id)
        if status is not None:
            query = query.where(reviews.c.status == status)
        if cursor:
            at, last_id = decode_cursor(cursor)
            query = query.where(
                or_(reviews.c.created_at > at, and_(reviews.c.created_at == at, reviews.c.id > last_id))
            )
        query = query.order_by(reviews.c.created_at, reviews.c.id).limit(limit + 1)
        async with self._database.read() as connection:
            found = [review_of(row) for row in (await connection.execute(query)).mappings()]
        return page_of(found, limit, lambda review: (review.created_at, review.id))

    async def of_conversation(self, workspace_id: str, conversation_id: str) -> Review | None:
        """The conversation's newest review, decided or not."""
        query = (
            reading_reviews()
            .where(reviews.c.workspace_id == workspace_id, reviews.c.conversation_id == conversation_id)
            .order_by(reviews.c.created_at.desc(), reviews.c.version.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return review_of(row) if row else None

    async def claim(self, member: Member, review_id: str, *, release: bool = False) -> Review:
        """Show the others who works on a review; whoever claims last has it, and nobody is locked out."""
        async with self._database.write() as connection:
            await _pending(connection, await _row(connection, member.workspace_id, review_id))
            claimant = None if release else member.id
            await connection.execute(update(reviews).where(reviews.c.id == review_id).values(claimed_by=claimant))
        return await self.read(member.workspace_id, review_id)

    async def decide(self, member: Member, review_id: str, decision: Decision, *, based_on: int) -> DecidedReview:
        """Compare and swap: the first decision on this version wins.

        Raises AlreadyDecidedError for a second one, StaleError when newer customer text or a redraft has
        overtaken the version, InvalidError when the decision says nothing to send.
        """
        async with self._database.write() as connection:
            row = await _row(connection, member.workspace_id, review_id)
            await messages.lock(connection, member.workspace_id, row["conversation_id"])
            # Read again under the lock: whoever held it may have decided.
            row = await _row(connection, member.workspace_id, review_id)
            await _pending(connection, row)
            if row["version"] != based_on:
                raise StaleError(f"the draft is now version {row['version']}")
            _check(decision, row)
            await self._write(connection, row, decision, based_on)
        return DecidedReview(
            await self.read(member.workspace_id, review_id), row["turn_id"], row["conversation_id"], member.workspace_id
        )

    async def _write(self, connection: AsyncConnection, row: RowMapping, decision: Decision, based_on: int) -> None:
        await connection.execute(
            insert(decisions).values(
                id=new_id(),
                workspace_id=row["workspace_id"],
                review_id=row["id"],
                member_id=decision.member_id,
                kind=decision.kind,
                text=decision.text,
                guidance=decision.guidance,
                based_on=based_on,
                created_at=clock.now(),
            )
        )
        await connection.execute(
            update(reviews)
            .where(reviews.c.id == row["id"])
            .values(status=ReviewStatus.DECIDED, closed_at=clock.now(), claimed_by=None)
        )
        await connection.execute(update(turns).where(turns.c.id == row["turn_id"]).values(status=TurnStatus.DECIDED))
        if decision.kind is DecisionKind.ESCALATE:
            await self._escalate(connection, row, decision)
        await audit.record(
            connection,
            f"review.{decision.kind}",
            row["workspace_id"],
            conversation_id=row["conversation_id"],
            turn_id=row["turn_id"],
            member_id=decision.member_id,
            data={"review_id": row["id"], "version": based_on},
        )

    async def _escalate(self, connection: AsyncConnection, row: RowMapping, decision: Decision) -> None:
        """The bot is silent from this moment, not from when the graph has resumed."""
        await connection.execute(
            update(conversations)
            .where(conversations.c.id == row["conversation_id"])
            .values(status=ConversationStatus.ASSIGNED, assignee_id=decision.member_id)
        )
        conversation = await messages.lock(connection, row["workspace_id"], row["conversation_id"])
        if conversation is not None:
            await messages.say(
                connection, conversation, f"{decision.member_name} took over.", member_id=decision.member_id
            )


async def _row(connection: AsyncConnection, workspace_id: str, review_id: str) -> RowMapping:
    query = reading_reviews().where(reviews.c.id == review_id, reviews.c.workspace_id == workspace_id)
    row: RowMapping | None = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("There is no such review in this workspace.")
    return row


async def _pending(connection: AsyncConnection, row: RowMapping) -> None:
    match ReviewStatus(row["status"]):
        case ReviewStatus.DECIDED:
            raise AlreadyDecidedError(row["decider_name"] or "somebody", row["decision_kind"])
        case ReviewStatus.SUPERSEDED:
            raise StaleError(await _newer_text(connection, row))
        case ReviewStatus.PENDING:
            if row["conversation_status"] == ConversationStatus.ASSIGNED:
                raise StaleError("a person has taken the conversation over")


async def _newer_text(connection: AsyncConnection, row: RowMapping) -> str:
    query = (
        select(message_table.c.text)
        .where(
            message_table.c.conversation_id == row["conversation_id"],
            message_table.c.seq > row["upto_seq"],
            message_table.c.visibility == Visibility.PUBLIC,
            message_table.c.author == "customer",
        )
        .order_by(message_table.c.seq)
    )
    return "\n".join((await connection.execute(query)).scalars().all()) or "a person has taken the conversation over"


def _check(decision: Decision, row: RowMapping) -> None:
    if decision.kind is DecisionKind.APPROVE and not row["draft_text_"].strip():
        raise InvalidError("This draft is empty: edit it to write the reply, or take the conversation over.")
    if decision.kind is DecisionKind.EDIT and not decision.text.strip():
        raise InvalidError("The reply is empty: write it, or dismiss the draft if nothing should be sent.")
    if decision.kind is DecisionKind.REJECT and not decision.guidance.strip():
        raise InvalidError("Say what the next draft should do: a rejection needs guidance.")


def reading_reviews() -> Select[Any]:
    """A query over reviews with what `review_of` needs."""
    columns: list[Any] = [
        reviews,
        conversations.c.channel,
        conversations.c.status.label("conversation_status"),
        customers.c.name.label("customer_name"),
        turns.c.upto_seq,
        claimants.c.name.label("claimant_name"),
        deciders.c.name.label("decider_name"),
        decisions.c.kind.label("decision_kind"),
        decisions.c.text.label("decision_text"),
        decisions.c.guidance.label("decision_guidance"),
        decisions.c.member_id.label("decision_member_id"),
        decisions.c.created_at.label("decided_at"),
        *draft_columns(),
    ]
    return (
        select(*columns)
        .join(conversations, conversations.c.id == reviews.c.conversation_id)
        .join(customers, customers.c.id == conversations.c.customer_id)
        .join(turns, turns.c.id == reviews.c.turn_id)
        .join(drafts, drafts.c.id == reviews.c.draft_id)
        .outerjoin(claimants, claimants.c.id == reviews.c.claimed_by)
        .outerjoin(decisions, decisions.c.review_id == reviews.c.id)
        .outerjoin(deciders, deciders.c.id == decisions.c.member_id)
    )


def review_of(row: RowMapping) -> Review:
    """The record of a joined row."""
    decided_at: datetime | None = row["decided_at"]
    return Review(
        id=row["id"],
        workspace_id=row["workspace_id"],
        conversation_id=row["conversation_id"],
        turn_id=row["turn_id"],
        version=row["version"],
        status=ReviewStatus(row["status"]),
        draft=draft_of(row),
        held_because=tuple(row["held_because"]),
        question=row["draft_question_"],
        triage=Triage.model_validate(row["draft_triage_"]),
        created_at=row["created_at"],
        claimed_by=row["claimant_name"],
        claimed_by_id=row["claimed_by"],
        decision=_decision_of(row) if decided_at else None,
        decided_at=decided_at,
        customer_name=row["customer_name"],
        channel=row["channel"],
    )


def _decision_of(row: RowMapping) -> Decision:
    return Decision(
        kind=DecisionKind(row["decision_kind"]),
        text=row["decision_text"],
        guidance=row["decision_guidance"],
        member_id=row["decision_member_id"],
        member_name=row["decider_name"] or "",
    )
