"""The numbers as HTML tiles and bars, and as data for the plots."""

from collections import Counter
from datetime import timedelta
from typing import Literal, TypedDict

from storage.records import DecisionKind
from storage.records.labels import DECISION_LABELS
from storage.reporting.report import AnalyticsReport, DayCounts
from workbench.ui.html import bar_chart, empty_state, metric_tiles
from workbench.ui.labels import NO_VALUE, duration_text

DECISION_TONES = {DecisionKind.APPROVE: "ok", DecisionKind.EDIT: "warn", DecisionKind.REJECT: "danger"}
DAYS_READABLE = 31
NO_NUMBERS = empty_state(
    "No numbers in this period",
    "They appear with the first message: try the web chat at /chat, or pick a longer period.",
)


def is_empty(report: AnalyticsReport) -> bool:
    """Whether nothing happened."""
    return not (report.messages_in or report.messages_out or sum(report.turns.values()))


def tiles_html(report: AnalyticsReport) -> str:
    """The numbers that one looks at first."""
    if is_empty(report):
        return NO_NUMBERS
    error = report.automatic.error
    tiles = (
        (str(report.messages_in), "customer messages"),
        (str(report.conversations), "new conversations"),
        (f"{report.shares.automatic:.0%}", "answered by the bot alone"),
        (duration_text(report.first_reply.median), "median time to first reply"),
        (duration_text(report.review_wait.median), "median wait for a decision"),
        (
            NO_VALUE if error is None else f"{error:.1%}",
            f"wrong automatic replies, of {report.automatic.right + report.automatic.wrong} judged",
        ),
        (f"{report.votes.up} / {report.votes.down}", "votes up / down"),
    )
    return metric_tiles(tiles)


def shares_html(report: AnalyticsReport) -> str:
    """How turns ended."""
    shares = report.shares
    values = {
        "Bot alone": shares.automatic,
        "Reviewed": shares.reviewed,
        "By hand": shares.handed_over,
        "Dismissed": shares.dismissed,
    }
    return bar_chart("How messages were answered", values, {"Bot alone": "ok", "Reviewed": "warn"}, share=True)


def decisions_html(report: AnalyticsReport) -> str:
    """What agents decided."""
    values = {DECISION_LABELS[kind].title: float(count) for kind, count in report.decisions.items()}
    tones = {label.title: DECISION_TONES.get(kind, "") for kind, label in DECISION_LABELS.items()}
    return bar_chart("Decisions", values, tones)


def intents_html(report: AnalyticsReport) -> str:
    """What customers want."""
    values = {(name or "not known yet").capitalize(): float(count) for name, count in report.intents.items()}
    return bar_chart("Intents of new conversations", values, {})


def plot_labels(report: AnalyticsReport) -> list[str]:
    """The plots' bars in order: days, or weeks by their first day when there are too many days to read."""
    return list(dict.fromkeys(_label(day, report) for day in report.days))


def _label(day: DayCounts, report: AnalyticsReport) -> str:
    weekly = len(report.days) > DAYS_READABLE
    start = report.days[0].day
    first = start + timedelta(days=(day.day - start).days // 7 * 7) if weekly else day.day
    return f"{first.day} {first:%b}"


class PlotData(TypedDict):
    """What `gr.BarPlot` sends to the browser; it would make the same of a pandas frame."""

    columns: list[str]
    data: list[list[str | int]]
    datatypes: dict[str, Literal["quantitative", "nominal"]]
    mark: Literal["bar"]


def message_plot(report: AnalyticsReport) -> PlotData:
    """Columns `when`, `messages`, `of`: received and sent."""
    rows = [
        (_label(day, report), count, of)
        for day in report.days
        for count, of in ((day.messages_in, "Customers"), (day.messages_out, "Replies"))
    ]
    return _summed(rows, "of")


def outcome_plot(report: AnalyticsReport) -> PlotData:
    """Columns `when`, `messages`, `answered`: how turns ended."""
    rows = [
        (_label(day, report), count, how)
        for day in report.days
        for count, how in (
            (day.automatic, "Bot alone"),
            (day.reviewed, "Reviewed"),
            (day.handed_over, "By hand"),
            (day.dismissed, "Dismissed"),
        )
    ]
    return _summed(rows, "answered")


def _summed(rows: list[tuple[str, int, str]], by: str) -> PlotData:
    """One bar's part per label and kind, in the rows' order."""
    sums: Counter[tuple[str, str]] = Counter()
    for label, count, kind in rows:
        sums[label, kind] += count
    return {
        "columns": ["when", by, "messages"],
        "data": [[label, kind, count] for (label, kind), count in sums.items()],
        "datatypes": {"when": "nominal", by: "nominal", "messages": "quantitative"},
        "mark": "bar",
    }
