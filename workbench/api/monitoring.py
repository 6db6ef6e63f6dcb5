"""REST: the live dashboard and the traces of turns."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from fastapi import APIRouter

from storage.records import (
    ChannelName,
    DeliveryStatus,
    DocumentStatus,
    Outcome,
    TurnStatus,
)
from storage.reporting.monitoring import Dashboard
from storage.settings import Settings
from workbench.api.dependencies import Context, CurrentMember
from workbench.api.schemas import Item, Items, PageLimit

router = APIRouter(prefix="/monitoring", tags=["monitoring"])


class BacklogItem(Item):
    """How much waits, and for how long the oldest has."""

    count: int
    oldest_seconds: float | None


class ChannelItem(Item):
    """A channel and its replies of the last 24 hours."""

    state: Literal["on", "off"]
    """`off`: its tokens are not set."""
    deliveries: Mapping[DeliveryStatus, int]


class DashboardItem(Item):
    """The state of the workspace at this moment."""

    queue: BacklogItem
    """Turns that wait for their job or run."""
    customers: BacklogItem
    """Conversations with customer text that nobody has answered."""
    reviews: BacklogItem
    """Drafts that wait for a person."""
    deliveries: Mapping[DeliveryStatus, int]
    """Replies of the last 24 hours, on all channels."""
    documents: Mapping[DocumentStatus, int]
    channels: Mapping[ChannelName, ChannelItem]


class TraceStepItem(Item):
    """One line of the audit trail."""

    kind: str
    at: datetime


class TraceItem(Item):
    """The way of one turn, ended or not."""

    turn_id: str
    conversation_id: str
    status: TurnStatus
    outcome: Outcome | None
    attempts: int
    created_at: datetime
    finished_at: datetime | None
    reasons: list[str]
    """Why its last draft was held or handed to a person."""
    steps: list[TraceStepItem]


@router.get("/dashboard")
async def read_dashboard(context: Context, member: CurrentMember) -> DashboardItem:
    """What waits and what is under way."""
    state = await context.store.reporting.monitoring.dashboard(member.workspace_id)
    totals = {status: sum(counts[status] for counts in state.deliveries.values()) for status in DeliveryStatus}
    return DashboardItem(
        queue=BacklogItem.model_validate(state.queue),
        customers=BacklogItem.model_validate(state.customers),
        reviews=BacklogItem.model_validate(state.reviews),
        deliveries=totals,
        documents=state.documents,
        channels=_channels(context.settings, state),
    )


@router.get("/traces")
async def list_traces(context: Context, member: CurrentMember, limit: PageLimit = 50) -> Items[TraceItem]:
    """The turns that something happened to last, the latest first."""
    found = await context.store.reporting.monitoring.traces(member.workspace_id, limit)
    return Items(items=[TraceItem.model_validate(trace) for trace in found])


def _channels(settings: Settings, state: Dashboard) -> dict[ChannelName, ChannelItem]:
    on: dict[ChannelName, bool] = {
        "web": True,
        "slack": bool(settings.slack.bot_token.get_secret_value()),
        "discord": bool(settings.discord.bot_token.get_secret_value()),
    }
    nothing = dict.fromkeys(DeliveryStatus, 0)
    return {
        name: ChannelItem(state="on" if is_on else "off", deliveries=state.deliveries.get(name, nothing))
        for name, is_on in on.items()
    }
