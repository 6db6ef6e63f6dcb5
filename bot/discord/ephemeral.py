"""Ephemeral answers: only who clicked or typed a command sees them; and of errors they are told something true."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
import structlog

from bot.errors import ChannelError
from storage.errors import DeskhandError

log = structlog.get_logger(__name__)

MAX_TEXT = 2000
NO_PERMISSION = "I lack a permission here: an admin has to let me see, open and write in threads."
FAILED = "Something went wrong here; what you wrote is not lost. Please try again."


async def reply_ephemeral(
    interaction: discord.Interaction[Any], text: str, embeds: list[discord.Embed] | None = None
) -> None:
    """Say it to this user only, as the first answer or as a later one."""
    text = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    if interaction.response.is_done():
        await interaction.followup.send(text, embeds=embeds or [], ephemeral=True)
    else:
        await interaction.response.send_message(text, embeds=embeds or [], ephemeral=True)


async def report_error(interaction: discord.Interaction[Any], error: Exception) -> None:
    """Put what went wrong into words."""
    match error:
        case DeskhandError():
            text = error.detail
        case ChannelError():
            text = NO_PERMISSION if error.permanent else f"{error.reason}. Please try again."
        case discord.Forbidden():
            text = NO_PERMISSION
        case _:
            log.error("discord interaction failed", exc_info=error)
            text = FAILED
    await reply_ephemeral(interaction, text)


@asynccontextmanager
async def reporting_errors(interaction: discord.Interaction[Any]) -> AsyncIterator[None]:
    """The outermost edge of an interaction: what fails inside is told to the user and goes no further."""
    with interaction.client.handling():
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the outermost edge
            await report_error(interaction, error)
