"""Review cards as Discord messages: posted with our own nonces, found again by their buttons, updated."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord

from bot.discord.channel import button_ids
from bot.discord.connection.client import DeskClient
from bot.discord.errors import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, translate_errors
from bot.discord.replies.rendering import nonce_of
from bot.discord.reviews.card import button_id_part, card_embeds, card_view
from bot.errors import ChannelError
from storage.records import Card, ChannelName, Place, Review

NO_ACCESS_SECONDS = 30.0
"""How long a place is left alone that the bot may not post in: an admin can let it in at any time."""
SEARCHED_MESSAGES = 200


class DiscordReviewCards:
    """The platform as the synchronisation of cards sees it."""

    def __init__(self, client: DeskClient) -> None:
        self._client = client

    @property
    def name(self) -> ChannelName:
        """The channel's name in the rows."""
        return "discord"

    async def serves(self, place: Place) -> bool:  # noqa: ARG002 - the protocol's signature
        """One bot serves every server."""
        return True

    async def post(self, card: Card, review: Review) -> str:
        """Post it; by our nonce a lost answer gives the same card again."""
        async with _refusals_pass():
            message = await self._place(card).send(
                embeds=card_embeds(review), view=card_view(review), nonce=nonce_of(card.id)
            )
        return str(message.id)

    async def find(self, card: Card, review: Review) -> str | None:
        """The message with the review's buttons."""
        async with _refusals_pass():
            async for message in self._place(card).history(limit=SEARCHED_MESSAGES):
                is_own = message.author.id == self._client.me.id
                if is_own and any(button_id_part(review.id) in custom_id for custom_id in button_ids(message)):
                    return str(message.id)
        return None

    async def update(self, card: Card, message_id: str, review: Review, why_overtaken: str) -> None:
        """Write the message anew, without buttons; one that is gone needs nothing more."""
        message = self._place(card).get_partial_message(int(message_id))
        async with _refusals_pass():
            try:
                await message.edit(embeds=card_embeds(review, why_overtaken=why_overtaken), view=None)
            except discord.NotFound as error:
                if error.code not in (UNKNOWN_CHANNEL, UNKNOWN_MESSAGE):
                    raise

    def _place(self, card: Card) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(int(card.place))


@asynccontextmanager
async def _refusals_pass() -> AsyncIterator[None]:
    """Raise ChannelError; what Discord refuses is tried again, since an admin may grant what is missing."""
    try:
        async with translate_errors():
            yield
    except ChannelError as error:
        if not error.permanent:
            raise
        raise ChannelError(error.reason, retry_after=NO_ACCESS_SECONDS) from error
