"""The Settings tab: members and canned replies, for admins."""

from typing import Any

import gradio as gr

from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.settings.canned_replies_form import CannedRepliesForm
from workbench.settings.members_form import MembersForm
from workbench.ui.handlers import PRIVATE_EVENT, error_boundary

_TITLE = '<div class="dh-title"><h1>Settings</h1><p>Who works here, and the texts that are used often.</p></div>'


def build_settings(tab: gr.Tab, context: WorkbenchContext, sessions: Sessions) -> None:
    """The components and their events; only admins get and set them."""
    with gr.Column(elem_classes="dh-page"):
        gr.HTML(_TITLE, apply_default_css=False)
        with gr.Row():
            with gr.Column(min_width=340):
                members = MembersForm(context, sessions)
            with gr.Column(min_width=340):
                canned_replies = CannedRepliesForm(context, sessions)

    @error_boundary
    async def refresh(request: gr.Request) -> tuple[Any, ...]:
        workspace_id = (await sessions.admin(request)).workspace_id
        return *await members.refreshed(workspace_id), *await canned_replies.refreshed(workspace_id)

    tab.select(refresh, None, [*members.outputs, *canned_replies.outputs], **PRIVATE_EVENT)
