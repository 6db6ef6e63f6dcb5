"""The settings tab: members and canned replies, for admins."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from storage.accounts.canned_replies import CannedReply
from storage.records import Member
from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.settings.members_form import build_team, team_shown
from workbench.ui.handlers import PRIVATE, reporting_errors
from workbench.ui.html import empty, esc, table

TITLE = '<div class="dh-title"><h1>Settings</h1><p>Who works here, and the texts that are used often.</p></div>'


def canned_html(replies: Sequence[CannedReply]) -> str:
    """The canned replies."""
    if not replies:
        return empty("No canned replies yet", "Save a text that you write often: agents insert it with one click.")
    return table(
        ("Title", "Text"), [(esc(reply.title), f'<div class="dh-plain">{esc(reply.text)}</div>') for reply in replies]
    )


def build_settings(tab: gr.Tab, context: WorkbenchContext, sessions: Sessions) -> None:
    """The components and their events; only admins get and set them."""
    with gr.Column(elem_classes="dh-page"):
        gr.HTML(TITLE, apply_default_css=False)
        with gr.Row():
            with gr.Column(min_width=340):
                team = build_team(context, sessions)
            with gr.Column(min_width=340):
                texts = _texts(context, sessions)

    @reporting_errors
    async def look(request: gr.Request) -> tuple[Any, ...]:
        member = await sessions.admin(request)
        canned = await context.store.accounts.canned_replies.all(member.workspace_id)
        return *await team_shown(context, member.workspace_id), canned_html(canned), _titles(canned)

    tab.select(look, None, [*team, *texts], **PRIVATE)


def _texts(context: WorkbenchContext, sessions: Sessions) -> tuple[gr.HTML, gr.Dropdown]:
    gr.HTML('<p class="dh-section">Canned replies</p>', apply_default_css=False)
    listing = gr.HTML(apply_default_css=False)
    with gr.Accordion("Save or remove a canned reply", open=False):
        title = gr.Textbox(label="Title", max_length=200, info="The same title again replaces its text.")
        text = gr.Textbox(label="Text", lines=4, max_length=5000)
        save = gr.Button("Save", variant="primary")
        chosen = gr.Dropdown([], label="Remove")
        remove = gr.Button("Remove it")

    async def shown(member: Member) -> tuple[str, Any]:
        canned = await context.store.accounts.canned_replies.all(member.workspace_id)
        return canned_html(canned), _titles(canned)

    @reporting_errors
    async def keep(title: str, text: str, request: gr.Request) -> tuple[Any, ...]:
        member = await sessions.admin(request)
        await context.store.accounts.canned_replies.keep(member.workspace_id, title, text)
        return "", "", *await shown(member)

    @reporting_errors
    async def forget(reply_id: str | None, request: gr.Request) -> tuple[Any, ...]:
        member = await sessions.admin(request)
        await context.store.accounts.canned_replies.remove(member.workspace_id, reply_id or "")
        return await shown(member)

    save.click(keep, [title, text], [title, text, listing, chosen], **PRIVATE)
    remove.click(forget, chosen, [listing, chosen], **PRIVATE)
    return listing, chosen


def _titles(canned: Sequence[CannedReply]) -> gr.Dropdown:
    return gr.Dropdown(choices=[(reply.title, reply.id) for reply in canned], value=None)
