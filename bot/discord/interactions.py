"""Registry of interactions: who acts on which button or form of the client that receives it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import discord

FormInteraction = discord.Interaction[Any]
ButtonInteraction = discord.Interaction[Any]
StyledButton = discord.ui.Button[discord.ui.View]


@dataclass(frozen=True, slots=True)
class Interactions:
    """The handlers; buttons and forms carry in their ids all that these are given, so they survive every restart."""

    reply_button: Callable[[ButtonInteraction, str, str, int], Awaitable[None]]
    """(interaction, action, message, number of the follow-up)"""
    card_button: Callable[[ButtonInteraction, str, str, int], Awaitable[None]]
    """(interaction, action, review, version)"""
    team_button: Callable[[ButtonInteraction, int, str], Awaitable[None]]
    """(interaction, first message of the person, workspace)"""
    form: Callable[[FormInteraction], Awaitable[None]]


def interactions_of(interaction: ButtonInteraction) -> Interactions | None:
    """The registry of the client that received this; None until it is wired."""
    registry: Interactions | None = interaction.client.interactions
    return registry
