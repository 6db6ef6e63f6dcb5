"""What people's decisions and customers' votes say about drafts: right or wrong."""

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.tables import drafts, labels, reviews
from storage.database.upsert import insert_into
from storage.records import Decision, DecisionKind, LabelSource, new_id


async def by_decision(connection: AsyncConnection, turn_id: str, workspace_id: str, decision: Decision) -> str:
    """Label the newest draft that was decided in this turn; gives the draft's id."""
    query = (
        select(drafts)
        .join(reviews, reviews.c.draft_id == drafts.c.id)
        .where(reviews.c.turn_id == turn_id)
        .order_by(reviews.c.version.desc())
        .limit(1)
    )
    draft = (await connection.execute(query)).mappings().one()
    verdict = _verdict(draft, decision)
    if verdict is not None:
        await put(connection, workspace_id, draft["id"], LabelSource.DECISION, verdict, decision.member_id)
    return str(draft["id"])


async def put(
    connection: AsyncConnection,
    workspace_id: str,
    draft_id: str,
    source: LabelSource,
    correct: bool,
    member_id: str | None = None,
) -> None:
    """Set a draft's label of this source; the newest word counts."""
    row = insert_into(connection, labels).values(
        id=new_id(),
        workspace_id=workspace_id,
        draft_id=draft_id,
        source=source,
        correct=correct,
        member_id=member_id,
        created_at=clock.now(),
    )
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["draft_id", "source"], set_={"correct": correct, "member_id": member_id}
        )
    )


def _verdict(draft: RowMapping, decision: Decision) -> bool | None:
    """Approved is right; rejected is wrong; edited is right if the draft still stands in it word for word."""
    match decision.kind:
        case DecisionKind.APPROVE:
            return True
        case DecisionKind.REJECT:
            return False
        case DecisionKind.EDIT:
            return bool(draft["text"]) and _words(draft["text"]) in _words(decision.text)
        case DecisionKind.ESCALATE | DecisionKind.DISMISS:
            return None


def _words(text: str) -> str:
    return " ".join(text.split()).casefold()
