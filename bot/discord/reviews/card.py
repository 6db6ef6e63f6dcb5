"""Rendering review cards as embeds and buttons: the question, the draft with its evidence, and the outcome."""

import re
from collections.abc import Iterator
from typing import Any, Self, cast

import discord

from bot.discord.ephemeral import reporting_errors
from bot.discord.interactions import ButtonInteraction, StyledButton, interactions_of
from bot.discord.replies.rendering import linked_title, shortened
from bot.text import neutralise_mentions
from storage.records import DecisionKind, Priority, Review, ReviewStatus
from storage.records.labels import CHANNEL_PHRASES, DECISION_LABELS

CARD_BUTTON_ID = r"dh:(?P<action>approve|edit|reject|escalate):(?P<review>[0-9a-f]{32}):(?P<version>\d{1,9})"
MAX_QUESTION, MAX_DRAFT, MAX_SENT, MAX_FIELD, MAX_SOURCES = 1000, 1800, 1500, 400, 3
"""With the titles within Discord's 6,000 characters for all embeds of a message."""
YELLOW, GREEN, GREY, RED = 0xFEE75C, 0x57F287, 0x99AAB5, 0xED4245


class CardButton(discord.ui.DynamicItem[StyledButton], template=CARD_BUTTON_ID):
    """One button of a card."""

    def __init__(self, button: StyledButton, action: str, review_id: str, version: int) -> None:
        super().__init__(button)
        self._action = action
        self._review_id = review_id
        self._version = version

    @classmethod
    async def from_custom_id(
        cls,
        interaction: ButtonInteraction,  # noqa: ARG003 - the library's signature
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """The button that was pressed."""
        return cls(cast("StyledButton", item), match["action"], match["review"], int(match["version"]))

    async def callback(self, interaction: ButtonInteraction) -> None:
        """Hand the click on."""
        async with reporting_errors(interaction):
            if registry := interactions_of(interaction):
                await registry.card_button(interaction, self._action, self._review_id, self._version)


def card_view(review: Review) -> discord.ui.View:
    """The actions of a pending review; an empty draft cannot be approved."""
    view = discord.ui.View(timeout=None)
    for button in _buttons(review):
        view.add_item(button)
    view.stop()
    return view


def card_embeds(review: Review, *, why_overtaken: str = "") -> list[discord.Embed]:
    """The card's two halves: the customer's words, and the draft with its evidence."""
    who = neutralise_mentions(review.customer_name) or "A customer"
    question = discord.Embed(
        title=shortened(f"{who} asks {CHANNEL_PHRASES[review.channel]}", 256),
        description=shortened(neutralise_mentions(review.question), MAX_QUESTION) or "…",
        colour=_colour(review),
    )
    draft = discord.Embed(title=_title(review), colour=_colour(review))
    draft.description = (
        shortened(neutralise_mentions(review.draft.text), MAX_DRAFT) or "*No draft: write the reply, or take over.*"
    )
    for name, value in _evidence(review):
        draft.add_field(name=name, value=shortened(neutralise_mentions(value), MAX_FIELD), inline=False)
    if review.status is not ReviewStatus.PENDING:
        draft.set_footer(text=shortened(outcome_line(review, why_overtaken), 2048))
    return [question, draft, *_sent_instead(review)]


def _sent_instead(review: Review) -> Iterator[discord.Embed]:
    if review.decision and review.decision.kind is DecisionKind.EDIT:
        sent = shortened(neutralise_mentions(review.decision.text), MAX_SENT)
        yield discord.Embed(title="Sent instead", description=sent, colour=_colour(review))


def outcome_line(review: Review, why_overtaken: str = "") -> str:
    """Who did what, in plain words."""
    if review.decision is None:
        return why_overtaken or "Overtaken: this draft is out of date."
    label = DECISION_LABELS[review.decision.kind]
    by = f"{label.icon} {label.passive} by {review.decision.member_name or 'somebody'}"
    if review.decision.kind is DecisionKind.REJECT:
        return f"{by}: {review.decision.guidance}"
    return by


def button_id_part(review_id: str) -> str:
    """What the ids of a review's buttons hold, to find its card again."""
    return f":{review_id}:"


def _buttons(review: Review) -> Iterator[CardButton]:
    styles = discord.ButtonStyle
    if review.draft.text.strip():
        yield _button(review, "approve", "Approve", styles.success)
    yield _button(review, "edit", "Edit", styles.primary)
    yield _button(review, "reject", "Reject…", styles.secondary)
    yield _button(review, "escalate", "Take over", styles.danger)


def _button(review: Review, action: str, label: str, style: discord.ButtonStyle) -> CardButton:
    custom_id = f"dh:{action}:{review.id}:{review.version}"
    button: StyledButton = discord.ui.Button(label=label, style=style, custom_id=custom_id)
    return CardButton(button, action, review.id, review.version)


def _title(review: Review) -> str:
    return "Draft" if review.version == 1 else f"Draft, version {review.version}"


def _evidence(review: Review) -> Iterator[tuple[str, str]]:
    yield "Why it was held", "\n".join(review.held_because) or "Every reply is reviewed here."
    reasons = ", ".join(review.draft.evidence.reasons[:3])
    yield "Confidence", f"{review.draft.confidence:.0%}" + (f" ({reasons})" if reasons else "")
    yield "Intent and priority", f"{review.triage.intent}, {review.triage.priority}"
    if review.draft.citations:
        yield "Sources", "\n".join(map(linked_title, review.draft.citations[:MAX_SOURCES]))


def _colour(review: Review) -> int:
    match review.status:
        case ReviewStatus.DECIDED:
            return GREEN
        case ReviewStatus.SUPERSEDED:
            return GREY
        case ReviewStatus.PENDING:
            return RED if review.triage.priority is Priority.HIGH else YELLOW
