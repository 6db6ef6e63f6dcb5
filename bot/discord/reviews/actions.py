"""Deciding on a card: the first decision wins, here or in the workbench; forms survive a restart, as buttons do."""

import re
from typing import Any

import discord

from bot.channel_status import ChannelStatusRegistry
from bot.discord.directory import Directory
from bot.discord.ephemeral import reply_ephemeral, reporting_errors
from bot.discord.interactions import ButtonInteraction, FormInteraction
from graph.desk import Desk
from storage.records import Decision, DecisionKind, Member, Review
from storage.store import Store

FORM_ID = re.compile(r"dh:form:(?P<action>edit|reject):(?P<review>[0-9a-f]{32}):(?P<version>\d{1,9})")
FIELD_ID = "text"
REPLY_FIELD = "Reply", "The customer gets exactly this. Markdown works: **bold**, lists, links."
GUIDANCE_FIELD = "What should the next draft do?", "The customer does not see this."
MAX_FORM_INPUT = 4000
DECISION_TEAM_ONLY = "Only the team can decide about this draft."
TOO_LONG = "This draft is too long for a form of Discord's: edit it in the workbench."


class DiscordReviewActions:
    """Takes the decisions of staff from cards."""

    def __init__(self, store: Store, desk: Desk, directory: Directory, statuses: ChannelStatusRegistry) -> None:
        self._store = store
        self._desk = desk
        self._directory = directory
        self._statuses = statuses

    async def click(self, interaction: ButtonInteraction, action: str, review_id: str, version: int) -> None:
        """Approve and take over at once; edit and reject open a form."""
        self._statuses.event("discord")
        workspace_id = await self._directory.workspace_of(interaction.guild_id)
        member = await self._directory.staff_member(workspace_id, interaction.user)
        if member is None:
            await reply_ephemeral(interaction, DECISION_TEAM_ONLY)
            return
        match action:
            case "edit" | "reject":
                await self._open_form(interaction, workspace_id, action, review_id, version)
            case _:
                await interaction.response.defer()
                await self._decide(member, review_id, Decision(kind=DecisionKind(action)), version)

    async def submit(self, interaction: FormInteraction) -> None:
        """The text of an edit or a rejection."""
        data: dict[str, Any] = dict(interaction.data or {})
        form = FORM_ID.fullmatch(str(data.get("custom_id", "")))
        if form is None:
            return
        self._statuses.event("discord")
        async with reporting_errors(interaction):
            await self._decide_by_form(interaction, form, _field_value(data.get("components", [])))

    async def _decide_by_form(self, interaction: FormInteraction, form: re.Match[str], text: str) -> None:
        await interaction.response.defer()
        workspace_id = await self._directory.workspace_of(interaction.guild_id)
        member = await self._directory.staff_member(workspace_id, interaction.user)
        if member is None:
            await reply_ephemeral(interaction, DECISION_TEAM_ONLY)
            return
        kind = DecisionKind(form["action"])
        edits = kind is DecisionKind.EDIT
        decision = Decision(kind=kind, text=text if edits else "", guidance="" if edits else text)
        await self._decide(member, form["review"], decision, int(form["version"]))

    async def _open_form(
        self, interaction: ButtonInteraction, workspace_id: str, action: str, review_id: str, version: int
    ) -> None:
        review = await self._store.conversations.reviews.read(workspace_id, review_id)
        if action == "edit" and len(review.draft.text) > MAX_FORM_INPUT:
            await reply_ephemeral(interaction, TOO_LONG)
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
    field: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        style=discord.TextStyle.paragraph,
        custom_id=FIELD_ID,
        default=review.draft.text if edits else None,
        max_length=MAX_FORM_INPUT,
    )
    text, description = REPLY_FIELD if edits else GUIDANCE_FIELD
    modal.add_item(discord.ui.Label(text=text, description=description, component=field))
    modal.stop()
    return modal


def _field_value(components: list[dict[str, Any]]) -> str:
    """The value of the one input, in a label or an action row."""
    inputs = [row.get("component") or (row.get("components") or [{}])[0] for row in components]
    return next((str(item.get("value") or "") for item in inputs if item.get("custom_id") == FIELD_ID), "")
