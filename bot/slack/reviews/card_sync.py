"""Reviews in the staff's channels: posted as cards, decided there, every copy kept in step."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import structlog

from bot.errors import ChannelError
from bot.slack.errors import UncertainError, translate_errors
from bot.slack.ids import SlackThread
from bot.slack.installations import SlackTeam, SlackTeams
from bot.slack.message_lookup import find_post
from bot.slack.reply_actions import ButtonClick
from bot.slack.reviews.card import (
    card_blocks,
    card_text,
    edit_modal,
    reject_modal,
)
from bot.slack.throttle import SlackPace
from graph.desk import Desk
from storage.cluster.events import wait_for_event
from storage.errors import AlreadyDecidedError, DeskhandError
from storage.records import Card, Decision, DecisionKind, Review, ReviewStatus
from storage.store import Store

log = structlog.get_logger(__name__)
EVENT_TYPE = "deskhand_card"
LOOK_SECONDS = 5.0
CUT_OFF = timedelta(seconds=60)
"""A card whose posting took longer was cut off by a crash or a lost answer."""
CLOSING = "slack cards are closing"
NOT_STAFF = "Your Slack user is not linked to a member of this desk: ask an admin to link it."


class SlackReviewCards:
    """Posts, updates and decides."""

    def __init__(self, store: Store, desk: Desk, teams: SlackTeams, pace: SlackPace) -> None:
        self._store = store
        self._cards = store.channels.review_cards
        self._desk = desk
        self._teams = teams
        self._pace = pace
        self._closing = False

    def close(self) -> None:
        """Let `run` end; it is woken, not cancelled, since a query that is cut off leaves its connection behind."""
        self._closing = True
        self._store.cluster.events.publish(CLOSING)

    async def run(self) -> None:
        """Keep the cards in step with the reviews until closed."""
        while not self._closing:
            workspaces = {place.workspace_id for place in await self._store.channels.places.of_staff("slack")}
            with self._store.cluster.events.listen(CLOSING, *workspaces) as news:
                await self.sync()
                if not self._closing:
                    await wait_for_event(news, LOOK_SECONDS)

    async def sync(self) -> None:
        """Post what is missing and update what is outdated, once; what fails is done at the next look."""
        await self._refresh()
        for place, review in await self._cards.missing("slack"):
            if self._closing:
                return
            if await self._teams.find(place.team) and (card := await self._cards.begin(place, review)):
                await self._try(self._post_first(card, review), card)
                # Posts go out one a second: a decision is not shown only after all of them.
                await self._refresh()
        for card in await self._cards.unposted("slack", CUT_OFF):
            await self._try(self._post_again(card), card)
        await self._refresh()

    async def _refresh(self) -> None:
        for card in await self._cards.outdated("slack"):
            await self._try(self._update(card), card)

    async def pressed(self, press: ButtonClick) -> str:
        """Decide, or open the dialog that decides; gives what to tell the one who pressed."""
        review_id, _, version = press.value.partition(":")
        member = await self._teams.member(press.team, press.user)
        if member is None:
            return NOT_STAFF
        match press.action:
            case "card_approve":
                decision = Decision(kind=DecisionKind.APPROVE)
            case "card_take_over":
                decision = Decision(kind=DecisionKind.ESCALATE)
            case _:
                return await self._open_dialog(press, review_id, int(version))
        return await self.decide(press.team, press.user, review_id, int(version), decision)

    async def decide(self, team: SlackTeam, user: str, review_id: str, version: int, decision: Decision) -> str:
        """Decide as the member who is this user; gives why it could not be, or nothing."""
        member = await self._teams.member(team, user)
        if member is None:
            return NOT_STAFF
        try:
            await self._desk.decide(member, review_id, decision, based_on=version)
        except DeskhandError as error:
            return error.detail
        return ""

    async def _open_dialog(self, press: ButtonClick, review_id: str, version: int) -> str:
        try:
            review = await self._store.conversations.reviews.read(press.team.workspace_id, review_id)
        except DeskhandError as error:
            return error.detail
        if review.decision is not None:
            return AlreadyDecidedError(review.decision.member_name, review.decision.kind).detail
        make = edit_modal if press.action == "card_edit" else reject_modal
        with translate_errors():
            await press.team.client.views_open(trigger_id=press.trigger_id, view=make(review, version))
        return ""

    async def _try(self, work: Coroutine[Any, Any, None], card: Card) -> None:
        try:
            await work
        except ChannelError as error:
            log.warning("card not shown", review=card.review_id, place=card.place, reason=error.reason)
            if error.permanent:
                await self._cards.showing(card, ReviewStatus.SUPERSEDED)

    async def _post_first(self, card: Card, review: Review) -> None:
        """Post it; if Slack has certainly not taken it, the next look begins anew."""
        try:
            await self._post(card, review)
        except UncertainError:
            raise
        except ChannelError as error:
            if not error.permanent:
                await self._cards.withdraw(card)
            if error.retry_after is not None:
                self._pace.stop(card.place, error.retry_after)
            raise

    async def _post(self, card: Card, review: Review) -> None:
        team = await self._teams.need(card.team)
        await self._pace.turn(card.place)
        with translate_errors():
            answer = await team.client.chat_postMessage(
                channel=card.place,
                text=card_text(review),
                blocks=card_blocks(review),
                metadata={"event_type": EVENT_TYPE, "event_payload": {"card_id": card.id}},
                unfurl_links=False,
            )
        await self._cards.posted(card, str(answer["ts"]))

    async def _post_again(self, card: Card) -> None:
        team, review = await self._teams.need(card.team), await self._store.conversations.reviews.by_id(card.review_id)
        where = SlackThread(card.team, card.place)
        if review is None:
            return
        if ts := await find_post(team.client, where, EVENT_TYPE, "card_id", card.id, review.created_at.timestamp()):
            await self._cards.posted(card, ts)
        elif review.status is ReviewStatus.PENDING:
            await self._post(card, review)
        else:
            await self._cards.showing(card, review.status)

    async def _update(self, card: Card) -> None:
        team, review = await self._teams.need(card.team), await self._store.conversations.reviews.by_id(card.review_id)
        if review is None or card.external_id is None:
            return
        overtaken = "" if review.decision else await self._cards.why_overtaken(review)
        with translate_errors():
            await team.client.chat_update(
                channel=card.place, ts=card.external_id, text=card_text(review), blocks=card_blocks(review, overtaken)
            )
        await self._cards.showing(card, review.status)
