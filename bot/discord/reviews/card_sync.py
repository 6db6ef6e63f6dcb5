"""Keeps the staff channels' cards in step with the reviews: posts the missing ones, updates every copy."""

from datetime import timedelta

import aiohttp
import discord
import structlog

from bot.channel_status import ChannelStatusRegistry
from bot.discord.channel import button_ids
from bot.discord.client import DeskClient
from bot.discord.errors import FAILURES
from bot.discord.replies.rendering import nonce_of
from bot.discord.reviews.card import card_embeds, card_ids, card_view
from bot.reconcile_loop import ReconcileLoop
from storage import clock
from storage.records import Card, Review, ReviewStatus
from storage.store import Store

log = structlog.get_logger(__name__)

CUT_OFF = timedelta(seconds=60)
"""A card whose posting took longer was cut off by a crash or a lost answer."""
PAUSE = timedelta(seconds=30)
"""How long after a failure the board waits before it tries again."""
SEARCHED = 200
GONE = (10003, 10008)


class DiscordReviewCards:
    """One per process; several processes agree through the rows."""

    def __init__(self, client: DeskClient, store: Store, states: ChannelStatusRegistry) -> None:
        self._client = client
        self._store = store
        self._states = states
        self._not_before = clock.now()

    def rounds(self) -> ReconcileLoop:
        """The looking after the cards."""
        return ReconcileLoop(self._store.cluster.events, self._workspaces, self.look)

    async def look(self) -> None:
        """Bring every card in step, once; what fails is tried again a little later."""
        if clock.now() < self._not_before:
            return
        try:
            await self._refresh()
        except FAILURES as error:
            log.warning("cards not in step", error=error)
            self._states.failed("discord", f"A review could not be shown in a staff channel: {error}")
            self._not_before = clock.now() + PAUSE

    async def _workspaces(self) -> frozenset[str]:
        return frozenset(place.workspace_id for place in await self._store.channels.places.of_staff("discord"))

    async def _refresh(self) -> None:
        cards = self._store.channels.review_cards
        for card in await cards.unposted("discord", CUT_OFF):
            await self._find_or_post(card)
        for place, review in await cards.missing("discord"):
            if begun := await cards.begin(place, review):
                await self._post(begun, review)
        for card in await cards.outdated("discord"):
            await self._update(card)

    async def _find_or_post(self, card: Card) -> None:
        """A crash or a lost answer cut the posting off: Discord may have the card already."""
        review = await self._store.conversations.reviews.by_id(card.review_id)
        channel = self._client.get_partial_messageable(int(card.place))
        async for message in channel.history(limit=SEARCHED):
            mine = message.author.id == self._client.me.id
            if mine and any(card_ids(card.review_id) in custom_id for custom_id in button_ids(message)):
                await self._store.channels.review_cards.posted(card, str(message.id))
                return
        if review is None or review.status is not ReviewStatus.PENDING:
            await self._store.channels.review_cards.showing(card, review.status if review else ReviewStatus.SUPERSEDED)
            return
        await self._post(card, review)

    async def _post(self, card: Card, review: Review) -> None:
        channel = self._client.get_partial_messageable(int(card.place))
        # By our nonce a lost answer gives the same card again.
        message = await channel.send(embeds=card_embeds(review), view=card_view(review), nonce=nonce_of(card.id))
        await self._store.channels.review_cards.posted(card, str(message.id))

    async def _update(self, card: Card) -> None:
        review = await self._store.conversations.reviews.by_id(card.review_id)
        if review is None or card.external_id is None:
            return
        why = await self._store.channels.review_cards.why_overtaken(review)
        message = self._client.get_partial_messageable(int(card.place)).get_partial_message(int(card.external_id))
        try:
            await message.edit(embeds=card_embeds(review, why_overtaken=why), view=None)
        except discord.NotFound as error:
            if error.code not in GONE:
                raise
        except (aiohttp.ClientError, TimeoutError):
            return
        await self._store.channels.review_cards.showing(card, review.status)
