"""The canned replies on the Settings tab: saved, replaced, removed."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from storage.accounts.canned_replies import CannedReply
from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.ui.handlers import PRIVATE_EVENT, error_boundary
from workbench.ui.html import empty_state, esc, table


class CannedRepliesForm:
    """The list of canned replies, the form, and the events."""

    def __init__(self, context: WorkbenchContext, sessions: Sessions) -> None:
        self._replies = context.store.accounts.canned_replies
        self._sessions = sessions
        gr.HTML('<p class="dh-section">Canned replies</p>', apply_default_css=False)
        self._listing = gr.HTML(apply_default_css=False)
        with gr.Accordion("Save or remove a canned reply", open=False):
            title = gr.Textbox(label="Title", max_length=200, info="The same title again replaces its text.")
            text = gr.Textbox(label="Text", lines=4, max_length=5000)
            save = gr.Button("Save", variant="primary")
            self._picker = gr.Dropdown([], label="Remove")
            remove = gr.Button("Remove it")
        save.click(self._save, [title, text], [title, text, *self.outputs], **PRIVATE_EVENT)
        remove.click(self._remove, self._picker, self.outputs, **PRIVATE_EVENT)

    @property
    def outputs(self) -> list[Any]:
        """What `refreshed` fills."""
        return [self._listing, self._picker]

    async def refreshed(self, workspace_id: str) -> tuple[str, gr.Dropdown]:
        """The list and the picker with the workspace's replies."""
        replies = await self._replies.all(workspace_id)
        choices = [(reply.title, reply.id) for reply in replies]
        return canned_replies_html(replies), gr.Dropdown(choices=choices, value=None)

    @error_boundary
    async def _save(self, title: str, text: str, request: gr.Request) -> tuple[Any, ...]:
        admin = await self._sessions.admin(request)
        await self._replies.keep(admin.workspace_id, title, text)
        return "", "", *await self.refreshed(admin.workspace_id)

    @error_boundary
    async def _remove(self, reply_id: str | None, request: gr.Request) -> tuple[Any, ...]:
        admin = await self._sessions.admin(request)
        await self._replies.remove(admin.workspace_id, reply_id or "")
        return await self.refreshed(admin.workspace_id)


def canned_replies_html(replies: Sequence[CannedReply]) -> str:
    """The canned replies as a table."""
    if not replies:
        return empty_state(
            "No canned replies yet", "Save a text that you write often: agents insert it with one click."
        )
    return table(
        ("Title", "Text"), [(esc(reply.title), f'<div class="dh-plain">{esc(reply.text)}</div>') for reply in replies]
    )
