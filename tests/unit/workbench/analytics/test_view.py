"""The numbers of a period as tiles, bars and plots; a period without any says what to do."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from storage.records import DecisionKind, LabelSource, Outcome
from storage.reporting.report import (
    AnalyticsReport,
    DayCounts,
    DurationStats,
    LabelCounts,
    OutcomeShares,
    VoteCounts,
)
from workbench.analytics.view import (
    NO_NUMBERS,
    decisions_html,
    intents_html,
    is_empty,
    message_plot,
    outcome_plot,
    plot_labels,
    shares_html,
    tiles_html,
)

START = date(2026, 3, 30)
NEVER = DurationStats(0, None, None)


def day(number: int, messages_in: int = 0, automatic: int = 0) -> DayCounts:
    """The nth day of the period."""
    return DayCounts(START + timedelta(days=number), messages_in, 2 * messages_in, 0, automatic, 0, 0, 0)


def report(*days: DayCounts) -> AnalyticsReport:
    """A period in which nothing happened but this."""
    since = datetime(2026, 3, 30, tzinfo=UTC)
    return AnalyticsReport(
        since=since,
        until=since + timedelta(days=len(days)),
        messages_in=sum(counts.messages_in for counts in days),
        messages_out=sum(counts.messages_out for counts in days),
        conversations=0,
        turns=dict.fromkeys(Outcome, 0),
        shares=OutcomeShares(0, 0, 0, 0),
        decisions=dict.fromkeys(DecisionKind, 0),
        first_reply=NEVER,
        review_wait=NEVER,
        intents={},
        votes=VoteCounts(0, 0),
        labels=dict.fromkeys(LabelSource, LabelCounts(0, 0)),
        automatic=LabelCounts(0, 0),
        days=days,
    )


def test_a_period_is_empty_only_without_messages_and_turns() -> None:
    nothing = report(day(0))
    assert is_empty(nothing)
    assert tiles_html(nothing) == NO_NUMBERS
    assert not is_empty(replace(nothing, messages_in=1))
    assert not is_empty(replace(nothing, messages_out=1))
    assert not is_empty(replace(nothing, turns={**nothing.turns, Outcome.SENT: 1}))


def test_the_tiles_say_what_was_counted_and_nothing_of_what_was_not() -> None:
    counted = replace(
        report(day(0, messages_in=7)),
        shares=OutcomeShares(0.25, 0.5, 0.25, 0),
        first_reply=DurationStats(3, 90.0, 120.0),
        automatic=LabelCounts(right=195, wrong=5),
        votes=VoteCounts(4, 1),
    )
    page = tiles_html(counted)
    assert all(text in page for text in ("25%", "1.5 min", "2.5%", "of 200 judged", "4 / 1"))
    assert "0.0%" not in tiles_html(replace(counted, automatic=LabelCounts(0, 0)))


def test_bars_name_every_way_a_turn_can_end_and_every_decision() -> None:
    page = shares_html(replace(report(day(0, 1)), shares=OutcomeShares(0.25, 0.5, 0.25, 0)))
    assert all(text in page for text in ("Bot alone", "Reviewed", "By hand", "Dismissed", "50%"))
    decided = replace(report(day(0, 1)), decisions={**dict.fromkeys(DecisionKind, 0), DecisionKind.EDIT: 3})
    assert ">3<" in decisions_html(decided)


def test_an_intent_that_nobody_knows_yet_has_a_name_and_what_people_named_is_text() -> None:
    page = intents_html(replace(report(day(0, 1)), intents={"billing": 2, "": 1, "<i>": 1}))
    assert "Billing" in page
    assert "Not known yet" in page
    assert "<i>" not in page.lower().replace("<i ", "")


def test_up_to_a_month_each_day_has_a_bar_and_more_days_are_weeks() -> None:
    month = report(*(day(number, messages_in=1) for number in range(31)))
    assert plot_labels(month)[:3] == ["30 Mar", "31 Mar", "1 Apr"]
    assert len(plot_labels(month)) == 31
    longer = report(*(day(number, messages_in=1) for number in range(32)))
    assert plot_labels(longer) == ["30 Mar", "6 Apr", "13 Apr", "20 Apr", "27 Apr"]
    assert message_plot(longer)["data"][:2] == [["30 Mar", "Customers", 7], ["30 Mar", "Replies", 14]]


def test_a_plot_has_a_part_for_each_kind_of_each_day() -> None:
    plot = outcome_plot(report(day(0, automatic=2), day(1)))
    assert plot["columns"] == ["when", "answered", "messages"]
    assert plot["data"][0] == ["30 Mar", "Bot alone", 2]
    assert len(plot["data"]) == 8


def test_each_way_of_ending_is_counted_under_its_own_name() -> None:
    ended = DayCounts(START, 0, 0, 0, automatic=1, reviewed=2, handed_over=3, dismissed=4)
    assert [row[1:] for row in outcome_plot(report(ended))["data"]] == [
        ["Bot alone", 1],
        ["Reviewed", 2],
        ["By hand", 3],
        ["Dismissed", 4],
    ]
    shares = shares_html(replace(report(day(0)), shares=OutcomeShares(0.1, 0.2, 0.3, 0.4)))
    for words, share in (("Bot alone", 10), ("Reviewed", 20), ("By hand", 30), ("Dismissed", 40)):
        assert f'<span>{words}</span><u><i style="width:{share}.0%"></i></u><em>{share}%</em>' in shares


def test_a_first_message_is_no_empty_period_and_an_unjudged_one_has_no_error() -> None:
    page = tiles_html(report(day(0, messages_in=1)))
    assert "<b>1</b><span>customer messages</span>" in page
    assert "<b>-</b><span>wrong automatic replies, of 0 judged</span>" in page
    assert "<b>-</b><span>median time to first reply</span>" in page
