"""The backtest counts what policy would have let go, and says so in plain sentences."""

from datetime import UTC, datetime

from storage.records import DecisionKind, Draft, Route, Triage, Verdict, new_id
from storage.reporting.past_drafts import PastDraft, ReplayedDraft
from workbench.autopilot.backtest import BacktestResult, backtest, backtest_summary


def replayed(route: Route, decision: DecisionKind | None = None) -> ReplayedDraft:
    past = PastDraft(
        turn_id=new_id(),
        channel="web",
        place_mode=None,
        question="How?",
        draft=Draft(),
        triage=Triage(),
        bot_turns=0,
        unread_files=False,
        held_because=(),
        created_at=datetime(2026, 11, 16, tzinfo=UTC),
        decision=decision,
    )
    return ReplayedDraft(past, Verdict(route=route))


def test_what_people_made_of_drafts_counts_for_those_that_would_have_gone_out() -> None:
    drafts = [
        replayed(Route.SEND),
        replayed(Route.SEND, DecisionKind.APPROVE),
        replayed(Route.SEND, DecisionKind.EDIT),
        replayed(Route.SEND, DecisionKind.REJECT),
        replayed(Route.REVIEW, DecisionKind.APPROVE),
        replayed(Route.HANDOFF, DecisionKind.ESCALATE),
    ]
    assert backtest(drafts) == BacktestResult(drafts=6, alone=4, approved=1, disputed=2)


def test_the_sentences_name_the_figures() -> None:
    assert backtest_summary(BacktestResult(6, 4, 1, 2)) == (
        "With these settings, 4 of the last 6 drafts would have gone out without a person."
        " Of these, people had approved 1 unchanged and changed, rejected or dismissed 2."
    )
    assert backtest_summary(BacktestResult(6, 4, 0, 0)).endswith("without a person.")
    assert backtest_summary(BacktestResult(0, 0, 0, 0)) == "There are no drafts yet to try these settings on."
