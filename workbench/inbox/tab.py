"""The inbox tab: what the browser asks for, checked, and what it gets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from storage.errors import NotFoundError, NotLoggedInError
from storage.records import Member
from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.inbox.action_panel import EMPTY, Panel, panel_of
from workbench.inbox.actions import Action, ActionResult, perform
from workbench.inbox.conversation_view import (
    MOST_SHOWN,
    NOBODY_SELECTED,
    head_html,
    thread_html,
)
from workbench.inbox.evidence_view import evidence_html, held_html
from workbench.inbox.queue import QueueFilter, load_queue
from workbench.inbox.queue_view import queue_html
from workbench.ui.html import esc
from workbench.ui.partials import changed_parts
from workbench.ui.scripts import script

HERE = Path(__file__).parent
ServerFunction = Callable[[dict[str, Any], gr.Request], Awaitable[dict[str, Any]]]


class Look(BaseModel):
    """What the browser shows and wants to show."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    selected: str = Field(default="", max_length=64)
    wish: QueueFilter = QueueFilter()
    length: int = Field(default=100, ge=1, le=MOST_SHOWN)
    """How many of the conversation's latest messages are shown."""
    seen: dict[str, str] = Field(default_factory=dict, max_length=16)
    """The key of each part as the browser has it: what did not change is not sent again."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The parts of the middle and right panes."""

    head: str
    thread: str
    held: str
    evidence: str
    panel: Panel


NOTHING_OPEN = Opened("", NOBODY_SELECTED, "", "", EMPTY)


def build_inbox(context: WorkbenchContext, sessions: Sessions) -> gr.HTML:
    """The component: a still skeleton whose script asks for news and puts them in place.

    The skeleton's text boxes are never made anew, so a refresh cannot take what is being typed.
    """
    return gr.HTML(
        html_template=(HERE / "inbox.html").read_text(encoding="utf-8"),
        js_on_load=script("ui/live", "inbox/inbox"),
        server_functions=[_looking(context, sessions), _acting(context, sessions)],
        apply_default_css=False,
        elem_id="dh-inbox-root",
    )


def _looking(context: WorkbenchContext, sessions: Sessions) -> ServerFunction:
    async def look(asked: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        try:
            member = await sessions.member(request)
            return await view(context, member, Look.model_validate(asked))
        except NotLoggedInError:
            return {"login": True}
        except ValidationError:
            return {"error": "This page is older than the desk: load it again."}

    return look


def _acting(context: WorkbenchContext, sessions: Sessions) -> ServerFunction:
    async def act(asked: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        try:
            member = await sessions.member(request)
            told = await perform(context, member, Action.model_validate(asked))
        except NotLoggedInError:
            return {"login": True}
        except ValidationError as error:
            told = ActionResult(f"Nothing was sent: {error.errors()[0]['msg']}.", ok=False)
        return {"text": told.text, "ok": told.ok, "advance": told.advance, "stale": told.stale}

    return act


async def view(context: WorkbenchContext, member: Member, look: Look) -> dict[str, Any]:
    """Everything on the screen that changed; the parts are HTML, the panel is data."""
    cards = await load_queue(context.store, member, look.wish)
    opened = await _open(context, member, look.selected, look.length)
    parts = {
        "queue": queue_html(cards, look.wish, member),
        "choices": await _choices(context, member),
        "head": opened.head,
        "thread": opened.thread,
        "held": opened.held,
        "evidence": opened.evidence,
    }
    return {
        "ids": [card.conversation.id for card in cards],
        "selected": look.selected if opened is not NOTHING_OPEN else "",
        "panel": opened.panel.for_browser(),
        **changed_parts(parts, look.seen),
    }


async def _open(context: WorkbenchContext, member: Member, conversation_id: str, length: int) -> Opened:
    if not conversation_id:
        return NOTHING_OPEN
    workspace_id = member.workspace_id
    try:
        conversation = await context.store.conversations.reading.read(workspace_id, conversation_id)
    except NotFoundError:
        return NOTHING_OPEN
    messages = await context.store.conversations.messages.latest(workspace_id, conversation_id, length + 1)
    review = await context.store.conversations.reviews.of_conversation(workspace_id, conversation_id)
    panel = panel_of(conversation, review, member)
    on_review = review is not None and panel.mode == "review"
    return Opened(
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
