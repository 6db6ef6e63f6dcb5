"""The Inbox tab: queue, conversation and action panel, kept up to date by polling."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from pydantic import Field, ValidationError

from storage.errors import DeskhandError, NotFoundError
from storage.records import Member
from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.inbox.action_panel import EMPTY, Panel, panel_of
from workbench.inbox.actions import Action, perform_action
from workbench.inbox.conversation_view import (
    MAX_THREAD_LENGTH,
    NOBODY_SELECTED,
    head_html,
    thread_html,
)
from workbench.inbox.evidence_view import evidence_html, held_html
from workbench.inbox.queue import QueueFilter, load_queue
from workbench.inbox.queue_view import queue_html
from workbench.ui.html import esc
from workbench.ui.partials import RefreshRequest, changed_parts
from workbench.ui.scripts import bundle_scripts
from workbench.ui.server_functions import Notice, action_function, refresh_function

_HERE = Path(__file__).parent


class InboxRequest(RefreshRequest):
    """What the browser shows and wants to show."""

    selected: str = Field(default="", max_length=64)
    filter: QueueFilter = QueueFilter()
    length: int = Field(default=100, ge=1, le=MAX_THREAD_LENGTH)
    """How many of the conversation's latest messages are shown."""


@dataclass(frozen=True, slots=True)
class OpenConversation:
    """The parts of the middle and right panes."""

    head: str
    thread: str
    held: str
    evidence: str
    panel: Panel


NO_CONVERSATION = OpenConversation("", NOBODY_SELECTED, "", "", EMPTY)


def build_inbox(context: WorkbenchContext, sessions: Sessions) -> gr.HTML:
    """The component: a still skeleton whose script asks for changes and puts them in place.

    The skeleton's text boxes are never made anew, so a refresh cannot take what is being typed.
    """

    async def refresh(member: Member, asked: InboxRequest) -> dict[str, Any]:
        return await view(context, member, asked)

    async def act(member: Member, action: Action) -> Notice:
        return await perform_action(context, member, action)

    return gr.HTML(
        html_template=(_HERE / "inbox.html").read_text(encoding="utf-8"),
        js_on_load=bundle_scripts("ui/live", "inbox/inbox"),
        server_functions=[
            refresh_function(sessions.member, InboxRequest, refresh),
            action_function(sessions.member, Action, act, _explain),
        ],
        apply_default_css=False,
        elem_id="dh-inbox-root",
    )


def _explain(error: DeskhandError | ValidationError) -> str:
    detail = error.detail if isinstance(error, DeskhandError) else f"{error.errors()[0]['msg']}."
    return f"Nothing was sent: {detail}"


async def view(context: WorkbenchContext, member: Member, asked: InboxRequest) -> dict[str, Any]:
    """Everything on the screen that changed; the parts are HTML, the panel is data."""
    items = await load_queue(context.store, member, asked.filter)
    opened = await _open(context, member, asked.selected, asked.length)
    parts = {
        "queue": queue_html(items, asked.filter, member),
        "choices": await _choices(context, member),
        "head": opened.head,
        "thread": opened.thread,
        "held": opened.held,
        "evidence": opened.evidence,
    }
    return {
        "ids": [item.conversation.id for item in items],
        "selected": asked.selected if opened is not NO_CONVERSATION else "",
        "panel": opened.panel.for_browser(),
        **changed_parts(parts, asked.seen),
    }


async def _open(context: WorkbenchContext, member: Member, conversation_id: str, length: int) -> OpenConversation:
    if not conversation_id:
        return NO_CONVERSATION
    workspace_id = member.workspace_id
    try:
        conversation = await context.store.conversations.reading.read(workspace_id, conversation_id)
    except NotFoundError:
        return NO_CONVERSATION
    messages = await context.store.conversations.messages.latest(workspace_id, conversation_id, length + 1)
    review = await context.store.conversations.reviews.of_conversation(workspace_id, conversation_id)
    panel = panel_of(conversation, review, member)
    on_review = review is not None and panel.mode == "review"
    return OpenConversation(
        head=head_html(conversation, await context.store.accounts.members.all(workspace_id)),
        thread=thread_html(messages, conversation, length),
        held=held_html(review) if review and on_review else "",
        evidence=evidence_html(review) if review and on_review else "",
        panel=panel,
    )


async def _choices(context: WorkbenchContext, member: Member) -> str:
    """The options of the intent filter and the canned replies, as two `<template>` elements."""
    settings = (await context.store.accounts.workspaces.read(member.workspace_id)).settings
    canned = await context.store.accounts.canned_replies.all(member.workspace_id)
    intents = "".join(
        f'<option value="{esc(intent)}">{esc(intent.capitalize())}</option>' for intent in settings.intents
    )
    replies = "".join(f'<option value="{esc(reply.text)}">{esc(reply.title)}</option>' for reply in canned)
    return f'<template data-for="intent">{intents}</template><template data-for="canned">{replies}</template>'
