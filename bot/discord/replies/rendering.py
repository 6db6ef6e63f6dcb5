"""Rendering replies as Discord messages: parts within the limit, sources as an embed, buttons under the last part."""

from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import discord

from bot.discord.replies.buttons import ReplyButton, reply_buttons
from bot.text import neutralise_mentions, split
from storage.conversations.outbox import Outgoing
from storage.records import Author, Citation, Message

MAX_CONTENT = 2000
MAX_SOURCES, MAX_TITLE, MAX_PASSAGE = 5, 150, 200
COLOUR = 0x5865F2


@dataclass(frozen=True, slots=True)
class ReplyPart:
    """One Discord message of a reply."""

    content: str
    nonce: str
    """At most 25 characters; the same at every try of this part."""
    embeds: tuple[discord.Embed, ...] = ()
    buttons: tuple[ReplyButton, ...] = ()

    @property
    def button_ids(self) -> frozenset[str]:
        """By these an earlier send is found again."""
        return frozenset(button.custom_id for button in self.buttons)

    def view(self) -> discord.ui.View | None:
        """The buttons as the library wants them, without its keeping them: a click finds them by their ids."""
        if not self.buttons:
            return None
        view = discord.ui.View(timeout=None)
        for button in self.buttons:
            view.add_item(button)
        view.stop()
        return view


def parts_of(outgoing: Outgoing) -> list[ReplyPart]:
    """The reply cut into messages, in order."""
    message = outgoing.message
    contents = split(neutralise_mentions(_signed(message)), MAX_CONTENT) or ["…"]
    parts = [ReplyPart(content, nonce_of(f"{outgoing.delivery_id}/{n}")) for n, content in enumerate(contents)]
    # What a person wrote or changed does not rest on the draft's sources.
    citations = message.draft.citations if message.draft and message.author is Author.BOT else ()
    embeds = (sources_embed(citations, message.text),) if citations else ()
    parts[-1] = ReplyPart(parts[-1].content, parts[-1].nonce, embeds, tuple(reply_buttons(message)))
    return parts


def nonce_of(key: str) -> str:
    """24 characters for Discord's nonce (25 at most), the same for the same key."""
    return b32encode(blake2b(key.encode(), digest_size=15).digest()).decode()


def sources_embed(citations: Sequence[Citation], text: str) -> discord.Embed:
    """What the reply rests on: titles, linked where they have an address, and the passages that it does not repeat."""
    kept = list({citation.chunk_id: citation for citation in citations}.values())[:MAX_SOURCES]
    reply_text = " ".join(text.split())
    return discord.Embed(
        title="Sources", colour=COLOUR, description="\n".join(_source(one, reply_text) for one in kept)
    )


def linked_title(citation: Citation) -> str:
    """A source's title as Discord's Markdown, linked to its public address if it has one."""
    title = shortened(" ".join(citation.title.split()), MAX_TITLE) or "Source"
    plain = neutralise_mentions(discord.utils.escape_markdown(title).replace("[", "(").replace("]", ")"))
    # Parentheses would end the link.
    address = citation.url.replace("(", "%28").replace(")", "%29")
    return f"[{plain}]({address})" if address else plain


def _source(citation: Citation, reply_text: str) -> str:
    passage = " ".join(citation.text.split())
    if not passage or passage in reply_text:
        return f"**{linked_title(citation)}**"
    return f"**{linked_title(citation)}**\n> {shortened(neutralise_mentions(passage), MAX_PASSAGE)}"


def shortened(text: str, length: int) -> str:
    """At most this many characters."""
    text = text.strip()
    return text if len(text) <= length else text[: length - 1] + "…"


def _signed(message: Message) -> str:
    """A person's reply says whose it is."""
    if message.author is Author.AGENT and message.member_name:
        return f"**{discord.utils.escape_markdown(message.member_name)}:**\n{message.text}"
    return message.text
