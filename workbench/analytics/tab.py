"""The Analytics tab: a period's numbers and plots."""

from datetime import timedelta
from typing import Any

import gradio as gr

from storage.clock import now
from storage.reporting.report import AnalyticsReport
from workbench.analytics import view
from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.ui.handlers import PRIVATE_EVENT, error_boundary

PERIODS = {"24 hours": 1, "7 days": 7, "30 days": 30, "90 days": 90}
_TITLE = '<div class="dh-title"><h1>Analytics</h1><p>Counted from the rows, in UTC days.</p></div>'


def build_analytics(tab: gr.Tab, context: WorkbenchContext, sessions: Sessions) -> None:
    """The components and their events."""
    numbers = context.store.reporting.analytics
    with gr.Column(elem_classes="dh-page"):
        with gr.Row(equal_height=True):
            gr.HTML(_TITLE, apply_default_css=False)
            period = gr.Radio(list(PERIODS), value="7 days", show_label=False, container=False, elem_id="dh-period")
        tiles = gr.HTML(apply_default_css=False)
        with gr.Row(visible=False) as plots:
            messages = _plot("of", "Messages", {"Customers": "muted", "Replies": "accent"})
            outcomes = _plot(
                "answered",
                "How they were answered",
                {"Bot alone": "ok", "Reviewed": "warn", "By hand": "accent", "Dismissed": "muted"},
            )
        with gr.Row(visible=False) as bars:
            shares, decisions, intents = (gr.HTML(apply_default_css=False, min_width=260) for _ in range(3))

    @error_boundary
    async def refresh(chosen: str, request: gr.Request) -> tuple[Any, ...]:
        member = await sessions.member(request)
        until = now()
        since = until - timedelta(days=PERIODS.get(chosen, 7))
        return _shown(await numbers.report(member.workspace_id, since, until))

    outputs = [tiles, plots, bars, messages, outcomes, shares, decisions, intents]
    tab.select(refresh, period, outputs, **PRIVATE_EVENT)
    period.change(refresh, period, outputs, **PRIVATE_EVENT)


def _plot(color: str, title: str, tokens: dict[str, str]) -> gr.BarPlot:
    """Bars over time in the theme's colours; the names are those of theme.css."""
    return gr.BarPlot(
        x="when",
        y="messages",
        color=color,
        title=title,
        height=260,
        x_title=" ",
        y_title=" ",
        color_title=" ",
        color_map={name: f"var(--dh-{token})" for name, token in tokens.items()},
        x_label_angle=-40,
        buttons=[],
        min_width=320,
    )


def _shown(report: AnalyticsReport) -> tuple[Any, ...]:
    some = not view.is_empty(report)
    return (
        view.tiles_html(report),
        gr.Row(visible=some),
        gr.Row(visible=some),
        gr.BarPlot(value=view.message_plot(report), sort=view.plot_labels(report)),
        gr.BarPlot(value=view.outcome_plot(report), sort=view.plot_labels(report)),
        view.shares_html(report),
        view.decisions_html(report),
        view.intents_html(report),
    )
