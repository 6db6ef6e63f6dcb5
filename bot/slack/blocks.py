"""Block Kit builders (docs.slack.dev/reference/block-kit), each within Slack's limits."""

from collections.abc import Sequence
from typing import Any

from bot.slack.mrkdwn import to_mrkdwn
from bot.text import split

SlackBlock = dict[str, Any]
MAX_SECTION = 2900
"""Slack takes 3,000 characters; some are left for what closes a code block."""
MAX_BUTTON, MAX_VALUE, MAX_CONTEXT, MAX_FALLBACK = 75, 2000, 10, 3000


def sections(markdown: str) -> list[SlackBlock]:
    """A text as sections of fewer than 3,000 characters each."""
    made = to_mrkdwn(markdown)
    # Cut as mrkdwn: escaping makes a text longer.
    return [section(piece) for piece in split(made, MAX_SECTION)] or [section(" ")]


def section(mrkdwn: str) -> SlackBlock:
    """One section; `verbatim` keeps Slack from making links and mentions of what only looks like them."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn, "verbatim": True}}


def header(text: str) -> SlackBlock:
    """A heading, in large letters."""
    return {"type": "header", "text": {"type": "plain_text", "text": text[:150]}}


def context(*lines: str) -> SlackBlock:
    """Small grey print."""
    elements = [{"type": "mrkdwn", "text": line[:MAX_SECTION], "verbatim": True} for line in lines[:MAX_CONTEXT]]
    return {"type": "context", "elements": elements}


def button(text: str, action_id: str, value: str, style: str = "") -> SlackBlock:
    """A button; `style` is empty, `primary` or `danger`."""
    label = text if len(text) <= MAX_BUTTON else text[: MAX_BUTTON - 1] + "…"
    made: SlackBlock = {
        "type": "button",
        "text": {"type": "plain_text", "text": label, "emoji": True},
        "action_id": action_id,
        "value": value[:MAX_VALUE],
    }
    return {**made, "style": style} if style else made


def buttons(block_id: str, elements: Sequence[SlackBlock]) -> SlackBlock:
    """A row of buttons."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def fallback(text: str) -> str:
    """What notifications show, as mrkdwn."""
    return (split(to_mrkdwn(text), MAX_FALLBACK) or [" "])[0]
