"""Choosing a team: the buttons that ask which one a direct message is for, and survive every restart."""

import re
from collections.abc import Sequence
from typing import Any, Self, cast

import discord

from bot.discord.ephemeral import reporting_errors
from bot.discord.interactions import ButtonInteraction, StyledButton, interactions_of
from bot.discord.replies.buttons import MAX_LABEL

TEAM_BUTTON_ID = r"dh:team:(?P<message>\d{1,20}):(?P<workspace>[^:]{1,64})"
MAX_TEAMS = 20


class TeamButton(discord.ui.DynamicItem[StyledButton], template=TEAM_BUTTON_ID):
    """One team."""

    def __init__(self, button: StyledButton, message_id: int, workspace_id: str) -> None:
        super().__init__(button)
        self._message_id = message_id
        self._workspace_id = workspace_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: ButtonInteraction,  # noqa: ARG003 - the library's signature
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """The button that was pressed."""
        return cls(cast("StyledButton", item), int(match["message"]), match["workspace"])

    async def callback(self, interaction: ButtonInteraction) -> None:
        """Hand the click on."""
        async with reporting_errors(interaction):
            if registry := interactions_of(interaction):
                await registry.team_button(interaction, self._message_id, self._workspace_id)


def choice_view(message_id: int, teams: Sequence[tuple[str, str]]) -> discord.ui.View:
    """A button for each (workspace, name)."""
    view = discord.ui.View(timeout=None)
    for workspace_id, name in teams[:MAX_TEAMS]:
        custom_id = f"dh:team:{message_id}:{workspace_id}"
        button: StyledButton = discord.ui.Button(label=name[:MAX_LABEL] or workspace_id, custom_id=custom_id)
        view.add_item(TeamButton(button, message_id, workspace_id))
    view.stop()
    return view


def choice_ids(message: discord.Message) -> list[str]:
    """The ids of a message's buttons that choose a team."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    ids = [str(getattr(item, "custom_id", "")) for row in rows for item in row.children]
    return [custom_id for custom_id in ids if re.fullmatch(TEAM_BUTTON_ID, custom_id)]
