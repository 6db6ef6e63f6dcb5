"""Reading Discord messages: their text and files, and whether they are addressed to the bot."""

import re
from collections.abc import Sequence

import aiohttp
import discord
import structlog

from bot.attachments import decode_text, is_readable
from storage.records import Attachment

log = structlog.get_logger(__name__)

HUMAN_TYPES = (discord.MessageType.default, discord.MessageType.reply)
MAX_THREAD_NAME = 100


def is_from_human(message: discord.Message) -> bool:
    """Whether a person wrote this: no bot, no webhook, no line of Discord's own."""
    return not message.author.bot and message.webhook_id is None and message.type in HUMAN_TYPES


def is_addressed_to(message: discord.Message, me: discord.ClientUser) -> bool:
    """Whether the message names the bot or replies to it; @everyone does not name it."""
    replied_to = message.reference.resolved if message.reference else None
    is_reply = isinstance(replied_to, discord.Message) and replied_to.author.id == me.id
    return is_reply or any(user.id == me.id for user in message.mentions)


def text_of(message: discord.Message, me: discord.ClientUser) -> str:
    """The text without the bot's own mention; other people go by their names."""
    text = re.sub(rf"<@!?{me.id}>\s*", "", message.content)
    for user in message.mentions:
        text = re.sub(rf"<@!?{user.id}>", f"@{user.display_name}", text)
    stickers = " ".join(f"(sticker: {sticker.name})" for sticker in message.stickers)
    return f"{text.strip()} {stickers}".strip()


def thread_name(text: str, author: str) -> str:
    """A name for a thread that a message opens: its first line."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "") or f"Question from {author}"
    return line if len(line) <= MAX_THREAD_NAME else line[: MAX_THREAD_NAME - 1] + "…"


async def files_of(attachments: Sequence[discord.Attachment]) -> tuple[Attachment, ...]:
    """The message's files; small text-like ones are read."""
    return tuple([await _file_of(attachment) for attachment in attachments])


async def _file_of(attachment: discord.Attachment) -> Attachment:
    media_type = attachment.content_type or ""
    text = None
    if is_readable(attachment.filename, media_type, attachment.size):
        try:
            text = decode_text(await attachment.read())
        except (discord.DiscordException, aiohttp.ClientError, TimeoutError) as error:
            log.warning("discord attachment not read", error=error)
    return Attachment(attachment.filename, attachment.url, media_type, attachment.size, text)
