"""Records of an analytics report: what is counted over a span of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from storage.records import DecisionKind, LabelSource, Outcome


@dataclass(frozen=True, slots=True)
class DurationStats:
    """How long something took, in seconds; None when it never happened."""

    count: int
    median: float | None
    p90: float | None
    """Nine of ten took no longer."""


@dataclass(frozen=True, slots=True)
class OutcomeShares:
    """Parts of all finished turns, 0 to 1; they add up to 1, or are all 0 without turns."""

    automatic: float
    reviewed: float
    handed_over: float
    """A person answers by hand, or took over while the draft was made."""
    dismissed: float


@dataclass(frozen=True, slots=True)
class VoteCounts:
    """Customers' votes on replies."""

    up: int
    down: int


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """Drafts that somebody called right or wrong."""

    right: int
    wrong: int

    @property
    def error(self) -> float | None:
        """The share of wrong ones, 0 to 1; None without labels."""
        labelled = self.right + self.wrong
        return self.wrong / labelled if labelled else None


@dataclass(frozen=True, slots=True)
class DayCounts:
    """One day (UTC) of a report; turns by the day they ended."""

    day: date
    messages_in: int
    messages_out: int
    conversations: int
    automatic: int
    reviewed: int
    handed_over: int
    dismissed: int


@dataclass(frozen=True, slots=True)
class AnalyticsReport:
    """What happened from `since` to before `until`."""

    since: datetime
    until: datetime
    messages_in: int
    """Texts of customers."""
    messages_out: int
    """Replies of the bot and of agents; no notes or system lines."""
    conversations: int
    """Conversations that began."""
    turns: Mapping[Outcome, int]
    """Finished turns; every outcome is there."""
    shares: OutcomeShares
    decisions: Mapping[DecisionKind, int]
    """Every kind is there."""
    first_reply: DurationStats
    """From the first customer message to the first reply, of conversations that began in the span."""
    review_wait: DurationStats
    """From a review's opening to its decision, of decisions in the span."""
    intents: Mapping[str, int]
    """Conversations that began, by their latest intent, the most frequent first."""
    votes: VoteCounts
    labels: Mapping[LabelSource, LabelCounts]
    """Every source is there."""
    automatic: LabelCounts
    """Replies that went out alone, by the strongest label that each has got so far; `error` is their error rate."""
    days: tuple[DayCounts, ...]
    """Every day of the span, also those without events."""
