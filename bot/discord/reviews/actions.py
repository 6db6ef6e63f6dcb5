"""Deciding on a card: the first decision wins, here or in the workbench; forms survive a restart, as buttons do."""

import re
from typing import Any

import discord

from bot.channel_status import ChannelStatusRegistry
from bot.discord.directory import Directory
from bot.discord.ephemeral import tell, told
from bot.discord.replies.buttons import ButtonInteraction
from graph.desk import Desk
from storage.records import Decision, DecisionKind, Member, Review
from storage.store import Store

FORM = re.compile(r"dh:form:(?P<action>edit|reject):(?P<review>[0-9a-f]{32}):(?P<version>\d{1,9})")
FIELD = "text"
EDITED = "Reply", "The customer gets exactly this. Markdown works: **bold**, lists, links."
GUIDANCE = "What should the next draft do?", "The customer does not see this."
MAX_INPUT = 4000
TEAM_ONLY = "Only the team can decide about this draft."
TOO_LONG = "This draft is too long for a form of Discord's: edit it in the workbench."


class DiscordReviewActions:
    """Takes the decisions of staff from cards."""

    def __init__(self, store: Store, desk: Desk, directory: Directory, states: ChannelStatusRegistry) -> None:
        self._store = store
        self._desk = desk
        self._directory = directory
        self._states = states

    async def pressed(self, interaction: ButtonInteraction, action: str, review_id: str, version: int) -> None:
        """Approve and take over at once; edit and reject ask for words first."""
        self._states.event("discord")
        workspace_id = await self._directory.workspace_of(interaction.guild_id)
        member = await self._directory.staff(workspace_id, interaction.user)
        if member is None:
            await tell(interaction, TEAM_ONLY)
            return
        match action:
            case "edit" | "reject":
                await self._ask_words(interaction, workspace_id, action, review_id, version)
            case _:
                await interaction.response.defer()
                await self._decide(member, review_id, Decision(kind=DecisionKind(action)), version)

    async def form_sent(self, interaction: discord.Interaction[Any]) -> None:
        """The words of an edit or a rejection."""
        data: dict[str, Any] = dict(interaction.data or {})
        form = FORM.fullmatch(str(data.get("custom_id", "")))
        if form is None:
            return
        self._states.event("discord")
        async with told(interaction):
            await self._take(interaction, form, _words(data.get("components", [])))

    async def _take(self, interaction: discord.Interaction[Any], form: re.Match[str], words: str) -> None:
        await interaction.response.defer()
        workspace_id = await self._directory.workspace_of(interaction.guild_id)
        member = await self._directory.staff(workspace_id, interaction.user)
        if member is None:
            await tell(interaction, TEAM_ONLY)
            return
        kind = DecisionKind(form["action"])
        edits = kind is DecisionKind.EDIT
        decision = Decision(kind=kind, text=words if edits else "", guidance="" if edits else words)
        await self._decide(member, form["review"], decision, int(form["version"]))

    async def _ask_words(
        self, interaction: ButtonInteraction, workspace_id: str, action: str, review_id: str, version: int
    ) -> None:
        review = await self._store.conversations.reviews.read(workspace_id, review_id)
        if action == "edit" and len(review.draft.text) > MAX_INPUT:
            await tell(interaction, TOO_LONG)
            return
        await interaction.response.send_modal(_form(review, action, version))

    async def _decide(self, member: Member, review_id: str, decision: Decision, version: int) -> None:
        await self._desk.decide(member, review_id, decision, based_on=version)


def _form(review: Review, action: str, version: int) -> discord.ui.Modal:
    """The library is not to keep it: the answer is recognised by its id, also after a restart."""
    edits = action == "edit"
    modal = discord.ui.Modal(
        title="Edit the reply" if edits else "Send the draft back",
        custom_id=f"dh:form:{action}:{review.id}:{version}",
    )
    words: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        style=discord.TextStyle.paragraph,
        custom_id=FIELD,
        default=review.draft.text if edits else None,
        max_length=MAX_INPUT,
    )
    text, description = EDITED if edits else GUIDANCE
    modal.add_item(discord.ui.Label(text=text, description=description, component=words))
    modal.stop()
    return modal


def _words(components: list[dict[str, Any]]) -> str:
    """The value of the one input, in a label or an action row."""
    inputs = [row.get("component") or (row.get("components") or [{}])[0] for row in components]
    return next((str(item.get("value") or "") for item in inputs if item.get("custom_id") == FIELD), "")
