"""Rendering replies as Block Kit: the text, where it comes from, and what the customer may do about it."""

from collections.abc import Iterable, Sequence

from bot.slack.blocks import SlackBlock, button, buttons, context, section, sections
from bot.slack.mrkdwn import escape_mrkdwn, web_address
from storage.records import Author, Citation, Message

MAX_SOURCE_TITLE, MAX_FOLLOW_UPS = 120, 4


def reply_blocks(message: Message) -> list[SlackBlock]:
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


def source_modal(citations: Iterable[Citation]) -> SlackBlock:
    """The passages that a reply rests on."""
    blocks: list[SlackBlock] = []
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
    title = escape_mrkdwn(" ".join(citation.title[:MAX_SOURCE_TITLE].split())) or "Source"
    # A source may also be known by its address alone.
    address = citation.url or (citation.title if citation.title.startswith(("https://", "http://")) else "")
    return f"<{web_address(address)}|{title}>" if address else title


def _follow_ups(conversation_id: str, follow_ups: Sequence[str]) -> list[SlackBlock]:
    """One line each: Slack cuts a button's text at about 30 characters, which no question fits in."""
    made = [
        {**section(escape_mrkdwn(text)), "accessory": button("Ask", f"follow_up_{n}", f"{conversation_id}:{text}")}
        for n, text in enumerate(follow_ups[:MAX_FOLLOW_UPS])
    ]
    return [context("You may also want to ask:"), *made] if made else []


def _actions(message: Message, *, can_show_sources: bool) -> SlackBlock:
    value = f"{message.conversation_id}:{message.id}"
    made: list[SlackBlock] = []
    if message.draft is not None:
        made = [button("👍", "vote_up", value), button("👎", "vote_down", value)]
    if message.author is Author.BOT:
        made.append(button("Talk to a person", "person", value))
    made.append(button("Solved", "solved", value))
    if can_show_sources:
        made.append(button("Sources", "sources", value))
    return buttons(f"actions:{message.id}", made)
