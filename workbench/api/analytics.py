"""REST: the workspace's analytics."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from storage.clock import now
from storage.errors import InvalidError
from storage.records import (
    DecisionKind,
    LabelSource,
    Outcome,
    TurnStatus,
)
from storage.reporting.analytics import Analytics
from storage.reporting.monitoring import ProcessSummary
from storage.reporting.report import AnalyticsReport
from workbench.api.dependencies import Context, CurrentMember
from workbench.api.schemas import (
    Item,
    Items,
    PageCursor,
    PageLimit,
    page_items,
)

router = APIRouter(prefix="/analytics", tags=["analytics"])

DEFAULT_SPAN = timedelta(days=30)
VALID_YEARS = range(1970, 9000)


class SpreadItem(Item):
    """How long something took, in seconds; null when it never happened."""

    count: int
    median: float | None
    p90: float | None


class SharesItem(Item):
    """Parts of all finished turns, 0 to 1."""

    automatic: float
    reviewed: float
    handed_over: float
    dismissed: float


class VotesItem(Item):
    """Customers' votes on replies."""

    up: int
    down: int


class LabelCountsItem(Item):
    """Drafts called right or wrong."""

    right: int
    wrong: int
    error: float | None
    """The share of wrong ones, 0 to 1; null without labels."""


class DayItem(Item):
    """One day (UTC)."""

    day: date
    messages_in: int
    messages_out: int
    conversations: int
    automatic: int
    reviewed: int
    handed_over: int
    dismissed: int


class MetricsItem(Item):
    """The most asked for numbers of a span of time."""

    since: datetime
    until: datetime
    messages_in: int
    messages_out: int
    conversations: int
    shares: SharesItem
    first_reply: SpreadItem
    review_wait: SpreadItem
    votes: VotesItem
    automatic: LabelCountsItem
    """Replies that went out alone and have got a label; `error` is their error rate."""


class ReportItem(MetricsItem):
    """Everything that is counted over a span of time."""

    turns: Mapping[Outcome, int]
    decisions: Mapping[DecisionKind, int]
    intents: Mapping[str, int]
    labels: Mapping[LabelSource, LabelCountsItem]
    days: list[DayItem]


class ProcessItem(Item):
    """One ended turn in figures."""

    turn_id: str
    conversation_id: str
    status: TurnStatus
    outcome: Outcome | None
    """Null: newer words or a person overtook the turn."""
    created_at: datetime
    finished_at: datetime
    seconds: float
    """From the first message to the end, waiting for people included."""
    version: int | None
    """Of the last draft."""
    confidence: float | None
    intent: str | None
    priority: str | None
    model: str | None
    prompt_version: str | None
    decision: DecisionKind | None


QueryTime = Annotated[datetime | None, Query(description="ISO 8601; without a zone it is UTC.")]


@router.get("/metrics")
async def read_metrics(context: Context, member: CurrentMember) -> MetricsItem:
    """The numbers of the last 30 days."""
    return MetricsItem.model_validate(await _report(context.store.reporting.analytics, member.workspace_id, None, None))


@router.get("/report")
async def read_report(
    context: Context, member: CurrentMember, since: QueryTime = None, until: QueryTime = None
) -> ReportItem:
    """Every number from `since` to before `until`; the 30 days before `until` or now if not said otherwise."""
    return ReportItem.model_validate(
        await _report(context.store.reporting.analytics, member.workspace_id, since, until)
    )


@router.get("/process-summaries")
async def list_process_summaries(
    context: Context, member: CurrentMember, limit: PageLimit = 50, cursor: PageCursor = None
) -> Items[ProcessItem]:
    """Ended turns, the latest end first."""
    page = await context.store.reporting.monitoring.summaries(member.workspace_id, limit=limit, cursor=cursor)
    return page_items(page, _process)


async def _report(
    source: Analytics, workspace_id: str, since: datetime | None, until: datetime | None
) -> AnalyticsReport:
    end = _utc(until) if until else now()
    return await source.report(workspace_id, _utc(since) if since else end - DEFAULT_SPAN, end)


def _utc(at: datetime) -> datetime:
    if at.year not in VALID_YEARS:
        raise InvalidError(f"{at.isoformat()} is no time to report on.")
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _process(summary: ProcessSummary) -> ProcessItem:
    return ProcessItem.model_validate(summary)
