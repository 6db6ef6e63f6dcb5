"""The Autopilot tab: what the bot may do alone, set by admins."""

from typing import Any

import gradio as gr

from storage.records import WorkspaceSettings
from workbench.auth.sessions import Sessions
from workbench.autopilot.backtest import backtest, backtest_summary
from workbench.autopilot.fields import components_of, values_of
from workbench.autopilot.form import build_form, changes_of
from workbench.context import WorkbenchContext
from workbench.ui.handlers import PRIVATE_EVENT, error_boundary
from workbench.ui.html import esc

PAST_DRAFTS = 50
_TITLE = (
    '<div class="dh-title"><h1>Autopilot</h1><p>What the bot may send alone. Everything else waits for a person; '
    "the customer is told once.</p></div>"
)


def build_autopilot(tab: gr.Tab, context: WorkbenchContext, sessions: Sessions) -> None:
    """The components and their events; only admins get and set them."""
    with gr.Column(elem_classes="dh-page"):
        gr.HTML(_TITLE, apply_default_css=False)
        fields = build_form()
        result = gr.HTML(apply_default_css=False)
        with gr.Row():
            save = gr.Button("Save", variant="primary", scale=0, min_width=120)
            preview = gr.Button("Try on the last drafts", scale=0, min_width=220)

    async def backtest_html(workspace_id: str, settings: WorkspaceSettings) -> str:
        replayed = await context.desk.replay_policy(workspace_id, settings, limit=PAST_DRAFTS)
        return f'<div class="dh-box">{esc(backtest_summary(backtest(replayed)))}</div>'

    @error_boundary
    async def refresh(request: gr.Request) -> list[Any]:
        member = await sessions.admin(request)
        settings = (await context.store.accounts.workspaces.read(member.workspace_id)).settings
        return [*values_of(fields, settings), await backtest_html(member.workspace_id, settings)]

    @error_boundary
    async def save_settings(request: gr.Request, *values: Any) -> list[Any]:
        member = await sessions.admin(request)
        settings = await context.store.accounts.workspaces.change_settings(member, **changes_of(fields, values))
        gr.Info("Saved: it holds from the next message on.")
        return [*values_of(fields, settings), await backtest_html(member.workspace_id, settings)]

    @error_boundary
    async def preview_settings(request: gr.Request, *values: Any) -> str:
        member = await sessions.admin(request)
        settings = (await context.store.accounts.workspaces.read(member.workspace_id)).settings
        changed = WorkspaceSettings.model_validate({**settings.model_dump(), **changes_of(fields, values)})
        return await backtest_html(member.workspace_id, changed)

    components = components_of(fields)
    tab.select(refresh, None, [*components, result], **PRIVATE_EVENT)
    save.click(save_settings, components, [*components, result], **PRIVATE_EVENT)
    preview.click(preview_settings, components, result, **PRIVATE_EVENT)
