"""Synchronising review cards: every staff place shows each pending review once, and every copy says how it ended."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Protocol

import structlog

from bot.channel_status import ChannelStatusRegistry
from bot.errors import ChannelError, UncertainError
from bot.reconcile_loop import ReconcileLoop
from storage.records import Card, ChannelName, Place, Review, ReviewStatus
from storage.store import Store

log = structlog.get_logger(__name__)

CUT_OFF_AFTER = timedelta(seconds=60)
"""A card whose posting took longer was cut off by a crash or a lost answer."""


class ReviewCardPlatform(Protocol):
    """What a platform does with cards. Each method raises ChannelError; UncertainError where it may have worked."""

    @property
    def name(self) -> ChannelName:
        """The channel's name in the rows."""

    async def serves(self, place: Place) -> bool:
        """Whether cards can be posted there now."""

    async def post(self, card: Card, review: Review) -> str:
        """Show it; gives the platform's id of the message."""

    async def find(self, card: Card, review: Review) -> str | None:
        """The id of the message that shows the card already; None if there certainly is none."""

    async def update(self, card: Card, message_id: str, review: Review, why_overtaken: str) -> None:
        """Show how the review ended."""


class ReviewCardSync:
    """Brings one platform's cards in step with the reviews; several processes agree through the rows."""

    def __init__(self, platform: ReviewCardPlatform, store: Store, statuses: ChannelStatusRegistry) -> None:
        self._platform = platform
        self._channel = platform.name
        self._cards = store.channels.review_cards
        self._reviews = store.conversations.reviews
        self._places = store.channels.places
        self._statuses = statuses
        self._paused_until: dict[str, float] = {}
        """By place, in the event loop's time."""
        self._loop = ReconcileLoop(store.cluster.events, self._workspaces, self.sync)

    async def run(self) -> None:
        """Keep the cards in step until closed."""
        await self._loop.run()

    def close(self) -> None:
        """Let `run` end after the card that it is at."""
        self._loop.close()

    async def sync(self) -> None:
        """Post what is missing and update what is outdated, once; what fails is done in a later round."""
        await self._update_outdated()
        for place, review in await self._cards.missing(self._channel):
            if self._loop.is_closing:
                return
            if await self._can_post_in(place) and (card := await self._cards.begin(place, review)):
                await self._attempt(self._post_first(card, review), card)
                # Platforms slow posts down: a decision is not shown only after all of them.
                await self._update_outdated()
        for card in await self._cards.unconfirmed(self._channel, CUT_OFF_AFTER):
            if not self._is_paused(card.place):
                await self._attempt(self._find_or_post(card), card)
        await self._update_outdated()

    async def _workspaces(self) -> frozenset[str]:
        return frozenset(place.workspace_id for place in await self._places.staff_places(self._channel))

    async def _update_outdated(self) -> None:
        for card in await self._cards.outdated(self._channel):
            await self._attempt(self._update(card), card)

    async def _attempt(self, work: Awaitable[None], card: Card) -> None:
        """One card that fails does not hold up the others."""
        try:
            await work
        except ChannelError as error:
            log.warning("review card not in step", review=card.review_id, place=card.place, reason=error.reason)
            self._statuses.failed(self._channel, f"A review could not be shown in a staff channel: {error.reason}")
            if error.permanent:
                await self._cards.mark_shown(card, ReviewStatus.SUPERSEDED)
            if error.retry_after is not None:
                self._paused_until[card.place] = asyncio.get_running_loop().time() + error.retry_after

    async def _post_first(self, card: Card, review: Review) -> None:
        """Post a new card; one that the platform has certainly not taken is missing again, and begun anew later."""
        try:
            await self._post(card, review)
        except UncertainError:
            raise
        except ChannelError as error:
            if not error.permanent:
                await self._cards.withdraw(card)
            raise

    async def _find_or_post(self, card: Card) -> None:
        """A crash or a lost answer cut the posting off: the platform may have the card already."""
        review = await self._reviews.by_id(card.review_id)
        if review is None:
            await self._cards.mark_shown(card, ReviewStatus.SUPERSEDED)
        elif message_id := await self._platform.find(card, review):
            await self._cards.mark_posted(card, message_id)
        elif review.status is ReviewStatus.PENDING:
            await self._post(card, review)
        else:
            await self._cards.mark_shown(card, review.status)

    async def _post(self, card: Card, review: Review) -> None:
        await self._cards.mark_posted(card, await self._platform.post(card, review))

    async def _update(self, card: Card) -> None:
        review = await self._reviews.by_id(card.review_id)
        if review is None or card.external_id is None:
            return
        why = "" if review.decision else await self._cards.overtaken_because(review)
        await self._platform.update(card, card.external_id, review, why)
        await self._cards.mark_shown(card, review.status)

    async def _can_post_in(self, place: Place) -> bool:
        return not self._is_paused(place.external_id) and await self._platform.serves(place)

    def _is_paused(self, place: str) -> bool:
        return asyncio.get_running_loop().time() < self._paused_until.get(place, 0.0)
