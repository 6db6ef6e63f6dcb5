"""Review cards as Slack messages: posted, found again by their metadata, updated."""

from bot.errors import ChannelError
from bot.rate_limit import KeyedThrottle
from bot.slack.errors import translate_errors
from bot.slack.ids import SlackThread
from bot.slack.installations import SlackTeams
from bot.slack.message_lookup import find_post
from bot.slack.reviews.card import card_blocks, card_text
from storage.records import Card, ChannelName, Place, Review

CARD_EVENT_TYPE = "deskhand_card"


class SlackReviewCards:
    """The platform as the synchronisation of cards sees it."""

    def __init__(self, teams: SlackTeams, throttle: KeyedThrottle) -> None:
        self._teams = teams
        self._throttle = throttle

    @property
    def name(self) -> ChannelName:
        """The channel's name in the rows."""
        return "slack"

    async def serves(self, place: Place) -> bool:
        """Whether the app is installed in the place's team."""
        return await self._teams.find(place.team) is not None

    async def post(self, card: Card, review: Review) -> str:
        """Post it; gives the message's `ts`."""
        team = await self._teams.require(card.team)
        await self._throttle.wait(card.place)
        try:
            with translate_errors():
                answer = await team.client.chat_postMessage(
                    channel=card.place,
                    text=card_text(review),
                    blocks=card_blocks(review),
                    metadata={"event_type": CARD_EVENT_TYPE, "event_payload": {"card_id": card.id}},
                    unfurl_links=False,
                )
        except ChannelError as error:
            if error.retry_after is not None:
                self._throttle.pause(card.place, error.retry_after)
            raise
        return str(answer["ts"])

    async def find(self, card: Card, review: Review) -> str | None:
        """The message with the card's metadata."""
        team = await self._teams.require(card.team)
        place, since = SlackThread(card.team, card.place), review.created_at.timestamp()
        return await find_post(team.client, place, CARD_EVENT_TYPE, "card_id", card.id, since)

    async def update(self, card: Card, message_id: str, review: Review, why_overtaken: str) -> None:
        """Write the message anew."""
        team = await self._teams.require(card.team)
        with translate_errors():
            await team.client.chat_update(
                channel=card.place, ts=message_id, text=card_text(review), blocks=card_blocks(review, why_overtaken)
            )
