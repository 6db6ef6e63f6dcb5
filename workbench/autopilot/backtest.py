"""Backtesting: what settings would have done with the drafts of the past."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.records import DecisionKind, Route
from storage.reporting.past_drafts import ReplayedDraft


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """Counts over past drafts."""

    drafts: int
    alone: int
    """Would have gone out without a person."""
    approved: int
    """Of those, the ones that a person had looked at and approved unchanged."""
    disputed: int
    """Of those, the ones that a person had edited, rejected, taken over or dismissed."""


def backtest(drafts: Sequence[ReplayedDraft]) -> BacktestResult:
    """Count what policy would have let go, and what people had made of it."""
    alone = [draft.past for draft in drafts if draft.verdict.route is Route.SEND]
    decided = [past.decision for past in alone if past.decision is not None]
    approved = sum(decision is DecisionKind.APPROVE for decision in decided)
    return BacktestResult(len(drafts), len(alone), approved, len(decided) - approved)


def backtest_summary(result: BacktestResult) -> str:
    """One or two plain sentences."""
    if not result.drafts:
        return "There are no drafts yet to try these settings on."
    words = (
        f"With these settings, {result.alone} of the last {result.drafts} drafts would have gone out without a person."
    )
    if result.approved or result.disputed:
        words += (
            f" Of these, people had approved {result.approved} unchanged"
            f" and changed, rejected or dismissed {result.disputed}."
        )
    return words
