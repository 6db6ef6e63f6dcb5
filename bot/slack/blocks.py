"""What customers see: replies as Block Kit (docs.slack.dev/reference/block-kit)."""

from collections.abc import Iterable, Sequence
from typing import Any

from bot.slack.mrkdwn import escape_mrkdwn, to_mrkdwn, web_address
from bot.text import split
from storage.records import Author, Citation, Message

Block = dict[str, Any]
MAX_SECTION = 2900
"""Slack takes 3,000 characters; some are left for what closes a code block."""
MAX_BUTTON, MAX_VALUE, MAX_CONTEXT, MAX_FALLBACK = 75, 2000, 10, 3000
SOURCE_TITLE, MAX_FOLLOW_UPS = 120, 4


def reply_blocks(message: Message) -> list[Block]:
    """A reply: its text, where it comes from, and what the customer may do about it."""
    blocks = sections(message.text)
    if message.author is Author.SYSTEM:
        return blocks
    if message.author is Author.AGENT and message.member_name:
        blocks.append(context(f"— {escape_mrkdwn(message.member_name)}"))
    # What a person wrote or changed does not rest on the draft's sources.
    draft = message.draft if message.author is Author.BOT else None
    if draft and draft.citations:
        blocks.append(context("Sources: " + " · ".join(map(source_link, draft.citations))))
    blocks.append(_actions(message, can_show_sources=bool(draft and draft.citations)))
    return [*blocks, *_follow_ups(message.conversation_id, draft.follow_ups if draft else ())]


def sections(markdown: str) -> list[Block]:
    """A text as sections of fewer than 3,000 characters each."""
    made = to_mrkdwn(markdown)
    # Cut as mrkdwn: escaping makes a text longer.
    return [section(piece) for piece in split(made, MAX_SECTION)] or [section(" ")]


def section(mrkdwn: str) -> Block:
    """One section; `verbatim` keeps Slack from making links and mentions of what only looks like them."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn, "verbatim": True}}


def header(text: str) -> Block:
    """A heading, in large letters."""
    return {"type": "header", "text": {"type": "plain_text", "text": text[:150]}}


def context(*lines: str) -> Block:
    """Small grey print."""
    elements = [{"type": "mrkdwn", "text": line[:MAX_SECTION], "verbatim": True} for line in lines[:MAX_CONTEXT]]
    return {"type": "context", "elements": elements}


def button(text: str, action_id: str, value: str, style: str = "") -> Block:
    """A button; `style` is empty, `primary` or `danger`."""
    label = text if len(text) <= MAX_BUTTON else text[: MAX_BUTTON - 1] + "…"
    made: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": label, "emoji": True},
        "action_id": action_id,
        "value": value[:MAX_VALUE],
    }
    return {**made, "style": style} if style else made


def buttons(block_id: str, elements: Sequence[Block]) -> Block:
    """A row of buttons."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def fallback(text: str) -> str:
    """What notifications show, as mrkdwn."""
    return (split(to_mrkdwn(text), MAX_FALLBACK) or [" "])[0]


def source_modal(citations: Iterable[Citation]) -> Block:
    """The passages that a reply rests on."""
    blocks: list[Block] = []
    for citation in citations:
        blocks += [section(f"*{source_link(citation)}*"), *sections(citation.text)[:3]]
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Sources"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": blocks[:90] or [section("This reply names no sources.")],
    }


def source_link(citation: Citation) -> str:
    """A source's title, linked to its public address if it has one."""
    title = escape_mrkdwn(" ".join(citation.title[:SOURCE_TITLE].split())) or "Source"
    # A source may also be known by its address alone.
    address = citation.url or (citation.title if citation.title.startswith(("https://", "http://")) else "")
    return f"<{web_address(address)}|{title}>" if address else title


def _follow_ups(conversation_id: str, follow_ups: Sequence[str]) -> list[Block]:
    """One line each: Slack cuts a button's text at about 30 characters, which no question fits in."""
    made = [
        {**section(escape_mrkdwn(text)), "accessory": button("Ask", f"follow_up_{n}", f"{conversation_id}:{text}")}
        for n, text in enumerate(follow_ups[:MAX_FOLLOW_UPS])
    ]
    return [context("You may also want to ask:"), *made] if made else []


def _actions(message: Message, *, can_show_sources: bool) -> Block:
    value = f"{message.conversation_id}:{message.id}"
    made: list[Block] = []
    if message.draft is not None:
        made = [button("👍", "vote_up", value), button("👎", "vote_down", value)]
    if message.author is Author.BOT:
        made.append(button("Talk to a person", "person", value))
    made.append(button("Solved", "solved", value))
    if can_show_sources:
        made.append(button("Sources", "sources", value))
    return buttons(f"actions:{message.id}", made)
