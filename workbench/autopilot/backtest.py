"""Backtesting: what settings would have done with the drafts of the past."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.records import DecisionKind, Mode, WorkspaceSettings
from storage.reporting.monitoring import ProcessSummary


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


def backtest(summaries: Sequence[ProcessSummary], settings: WorkspaceSettings) -> BacktestResult:
    """Replay threshold, intents and priorities; what the guard or the hours would have held is not replayed."""
    drafts = [summary for summary in summaries if summary.confidence is not None]
    alone = [summary for summary in drafts if _would_send(summary, settings)]
    decided = [summary.decision for summary in alone if summary.decision is not None]
    approved = sum(decision is DecisionKind.APPROVE for decision in decided)
    return BacktestResult(len(drafts), len(alone), approved, len(decided) - approved)


def _would_send(summary: ProcessSummary, settings: WorkspaceSettings) -> bool:
    sure = summary.confidence is not None and 0 < summary.confidence >= settings.threshold
    held = summary.intent in settings.hold_intents or summary.priority in settings.hold_priorities
    return settings.mode is Mode.AUTO and sure and not held


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
