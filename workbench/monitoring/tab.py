"""The Monitoring tab: what waits, how the latest turns went, what failed, and the audit trail."""

import gradio as gr

from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.monitoring import view
from workbench.ui.handlers import PRIVATE_EVENT, error_boundary
from workbench.ui.scripts import bundle_scripts

TURNS = 30
_TITLE = (
    '<div class="dh-title"><h1>Monitoring</h1><p>What the desk is doing right now, and what became of the latest '
    "messages.</p></div>"
)


def build_monitoring(tab: gr.Tab, context: WorkbenchContext, sessions: Sessions) -> None:
    """The components and their events."""
    ages = bundle_scripts("ui/live", "ui/ages")
    with gr.Column(elem_classes="dh-page"):
        with gr.Row():
            gr.HTML(_TITLE, apply_default_css=False)
            refresh_button = gr.Button("Refresh", size="sm", scale=0, min_width=100)
        tiles = gr.HTML(apply_default_css=False)
        gr.HTML('<p class="dh-section">Latest messages</p>', apply_default_css=False)
        turns = gr.HTML(js_on_load=ages, apply_default_css=False)
        with gr.Row():
            with gr.Column(min_width=320):
                gr.HTML('<p class="dh-section">Replies that did not arrive</p>', apply_default_css=False)
                failures = gr.HTML(js_on_load=ages, apply_default_css=False)
            with gr.Column(min_width=320):
                gr.HTML('<p class="dh-section">Documents</p>', apply_default_css=False)
                documents = gr.HTML(apply_default_css=False)
        gr.HTML('<p class="dh-section">Audit trail</p>', apply_default_css=False)
        events = gr.HTML(js_on_load=ages, apply_default_css=False)
    monitoring = context.store.reporting.monitoring

    @error_boundary
    async def refresh(request: gr.Request) -> tuple[str, str, str, str, str]:
        workspace_id = (await sessions.member(request)).workspace_id
        summaries = await monitoring.summaries(workspace_id, limit=2 * TURNS)
        return (
            view.dashboard_html(await monitoring.dashboard(workspace_id)),
            view.turns_html(await monitoring.traces(workspace_id, TURNS), summaries.items),
            view.undelivered_html(await context.store.reporting.activity.undelivered(workspace_id)),
            view.unready_documents_html(await context.store.knowledge.catalogue.list(workspace_id)),
            view.events_html(await context.store.reporting.activity.latest_events(workspace_id)),
        )

    outputs = [tiles, turns, failures, documents, events]
    for event in (tab.select, refresh_button.click):
        event(refresh, None, outputs, **PRIVATE_EVENT)
