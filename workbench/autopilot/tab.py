"""The autopilot tab: what the bot may do alone, set by admins."""

from typing import Any

import gradio as gr

from storage.records import WorkspaceSettings
from workbench.auth.sessions import Sessions
from workbench.autopilot.backtest import forecast, forecast_words
from workbench.autopilot.form import build_form, changes, shown
from workbench.context import WorkbenchContext
from workbench.ui.handlers import PRIVATE, reporting_errors
from workbench.ui.html import esc

PAST_DRAFTS = 50
TITLE = (
    '<div class="dh-title"><h1>Autopilot</h1><p>What the bot may send alone. Everything else waits for a person; '
    "the customer is told once.</p></div>"
)


def build_autopilot(tab: gr.Tab, context: WorkbenchContext, sessions: Sessions) -> None:
    """The components and their events; only admins get and set them."""
    with gr.Column(elem_classes="dh-page"):
        gr.HTML(TITLE, apply_default_css=False)
        form = build_form()
        outlook = gr.HTML(apply_default_css=False)
        with gr.Row():
            save = gr.Button("Save", variant="primary", scale=0, min_width=120)
            preview = gr.Button("Try on the last drafts", scale=0, min_width=220)
    monitoring = context.store.reporting.monitoring

    async def outlook_of(workspace_id: str, settings: WorkspaceSettings) -> str:
        past = await monitoring.summaries(workspace_id, limit=PAST_DRAFTS)
        return f'<div class="dh-box">{esc(forecast_words(forecast(past.items, settings)))}</div>'

    @reporting_errors
    async def look(request: gr.Request) -> list[Any]:
        member = await sessions.admin(request)
        settings = (await context.store.accounts.workspaces.read(member.workspace_id)).settings
        return [*shown(settings), await outlook_of(member.workspace_id, settings)]

    @reporting_errors
    async def keep(request: gr.Request, *values: Any) -> list[Any]:
        member = await sessions.admin(request)
        settings = await context.store.accounts.workspaces.change_settings(member, **changes(values))
        gr.Info("Saved: it holds from the next message on.")
        return [*shown(settings), await outlook_of(member.workspace_id, settings)]

    @reporting_errors
    async def try_out(request: gr.Request, *values: Any) -> str:
        member = await sessions.admin(request)
        settings = (await context.store.accounts.workspaces.read(member.workspace_id)).settings
        changed = WorkspaceSettings.model_validate({**settings.model_dump(), **changes(values)})
        return await outlook_of(member.workspace_id, changed)

    tab.select(look, None, [*form, outlook], **PRIVATE)
    save.click(keep, form, [*form, outlook], **PRIVATE)
    preview.click(try_out, form, outlook, **PRIVATE)
