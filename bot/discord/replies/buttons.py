"""Persistent buttons under a reply: they carry all they need in their ids, so they survive every restart."""

import re
from collections.abc import Iterator
from typing import Any, Self, cast

import discord

from bot.discord.ephemeral import reporting_errors
from bot.discord.interactions import ButtonInteraction, StyledButton, interactions_of
from storage.records import Author, Message

MAX_LABEL = 80
MAX_FOLLOW_UPS = 4
REPLY_BUTTON_ID = r"dh:(?P<action>up|down|person|solved|ask):(?P<message>[0-9a-f]{32})(?::(?P<number>\d))?"


class ReplyButton(discord.ui.DynamicItem[StyledButton], template=REPLY_BUTTON_ID):
    """One button; the library makes it anew from its id when somebody presses it."""

    def __init__(self, button: StyledButton, action: str, message_id: str, number: int = 0) -> None:
        super().__init__(button)
        self._action = action
        self._message_id = message_id
        self._number = number

    @classmethod
    async def from_custom_id(
        cls,
        interaction: ButtonInteraction,  # noqa: ARG003 - the library's signature
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """The button that was pressed."""
        return cls(cast("StyledButton", item), match["action"], match["message"], int(match["number"] or 0))

    async def callback(self, interaction: ButtonInteraction) -> None:
        """Hand the click on."""
        async with reporting_errors(interaction):
            if registry := interactions_of(interaction):
                await registry.reply_button(interaction, self._action, self._message_id, self._number)


def reply_buttons(message: Message) -> Iterator[ReplyButton]:
    """Votes, a person, solved, and what the customer may want to ask next; none under the desk's own lines."""
    if message.author not in (Author.BOT, Author.AGENT):
        return
    yield _button(message, "up", emoji="👍")
    yield _button(message, "down", emoji="👎")
    if message.author is Author.BOT:
        yield _button(message, "person", "Talk to a person")
    yield _button(message, "solved", "Solved", style=discord.ButtonStyle.success)
    follow_ups = message.draft.follow_ups if message.draft else ()
    for number, question in enumerate(follow_ups[:MAX_FOLLOW_UPS]):
        yield _button(message, "ask", question, number=number, row=1)


def _button(
    message: Message,
    action: str,
    label: str = "",
    *,
    emoji: str | None = None,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    number: int | None = None,
    row: int = 0,
) -> ReplyButton:
    custom_id = f"dh:{action}:{message.id}" + ("" if number is None else f":{number}")
    label = label if len(label) <= MAX_LABEL else label[: MAX_LABEL - 1] + "…"
    button: StyledButton = discord.ui.Button(
        label=label or None, emoji=emoji, style=style, custom_id=custom_id, row=row
    )
    return ReplyButton(button, action, message.id, number or 0)
