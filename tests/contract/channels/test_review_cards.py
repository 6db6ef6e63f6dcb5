"""Review cards are posted once, found again when their answer was lost, and updated when the review is over."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from bot.channel_status import ChannelStatusRegistry
from bot.errors import ChannelError, UncertainError
from bot.review_cards import CUT_OFF_AFTER, ReviewCardSync
from storage.clock import shifted
from storage.records import Card, ChannelName, Decision, DecisionKind, Member, Place, Review, ReviewStatus
from storage.store import Store
from tests.contract.channels.test_channels_storage import held

STAFF = Place("demo", "slack", "T1", "C-staff", "staff", is_staff=True)
LATER = CUT_OFF_AFTER + timedelta(seconds=1)


@dataclass
class Wall:
    """A platform on which cards hang, and whose next calls may fail."""

    name: ChannelName = "slack"
    is_served: bool = True
    shown: dict[str, str] = field(default_factory=dict)
    """Message id to what it says: a review's status, and why it was overtaken."""
    card_of: dict[str, str] = field(default_factory=dict)
    faults: defaultdict[str, list[ChannelError]] = field(default_factory=lambda: defaultdict(list))

    async def serves(self, place: Place) -> bool:  # noqa: ARG002
        return self.is_served

    async def post(self, card: Card, review: Review) -> str:
        error = self._next("post")
        if error is not None and not isinstance(error, UncertainError):
            raise error
        message_id = f"m{len(self.shown) + 1}"
        self.shown[message_id], self.card_of[card.id] = str(review.status), message_id
        if error is not None:
            raise error
        return message_id

    async def find(self, card: Card, review: Review) -> str | None:  # noqa: ARG002
        return self.card_of.get(card.id)

    async def update(self, card: Card, message_id: str, review: Review, why_overtaken: str) -> None:  # noqa: ARG002
        if error := self._next("update"):
            raise error
        self.shown[message_id] = why_overtaken or str(review.status)

    def _next(self, call: str) -> ChannelError | None:
        return self.faults[call].pop(0) if self.faults[call] else None


def sync_of(wall: Wall, store: Store, statuses: ChannelStatusRegistry | None = None) -> ReviewCardSync:
    return ReviewCardSync(wall, store, statuses or ChannelStatusRegistry())


async def waiting(store: Store, external_id: str = "m1") -> Review:
    """A pending review, and a staff place to show it in."""
    await store.channels.places.keep(STAFF)
    work = await held(store, "How do I reset?", external_id)
    review = await store.conversations.reviews.of_conversation("demo", work.conversation_id)
    assert review is not None
    return review


async def approved(store: Store, agent: Member, review: Review) -> None:
    decision = Decision(kind=DecisionKind.APPROVE, member_id=agent.id, member_name=agent.name)
    await store.conversations.reviews.decide(agent, review.id, decision, based_on=review.version)


async def test_a_pending_review_is_posted_once_and_updated_when_it_is_decided(store: Store, agent: Member) -> None:
    wall = Wall()
    sync, review = sync_of(wall, store), await waiting(store)
    await sync.sync()
    await sync.sync()
    assert wall.shown == {"m1": "pending"}
    await approved(store, agent, review)
    await sync.sync()
    assert wall.shown == {"m1": "decided"}
    wall.faults["update"].append(ChannelError("not asked again"))
    await sync.sync()
    assert wall.faults["update"], "what is shown is not updated again"


async def test_two_processes_post_one_card(store: Store) -> None:
    wall = Wall()
    await waiting(store)
    await sync_of(wall, store).sync()
    await sync_of(wall, store).sync()
    assert len(wall.shown) == 1


async def test_an_overtaken_review_says_why(store: Store) -> None:
    wall = Wall()
    sync, _ = sync_of(wall, store), await waiting(store)
    await sync.sync()
    await store.conversations.edits.delete("demo", "slack", "m1", 0)
    await sync.sync()
    assert "out of date" in wall.shown["m1"]


async def test_what_is_refused_for_now_is_posted_in_a_later_round_and_reported(store: Store) -> None:
    wall, statuses = Wall(), ChannelStatusRegistry()
    sync, _ = sync_of(wall, store, statuses), await waiting(store)
    wall.faults["post"].append(ChannelError("busy"))
    await sync.sync()
    assert wall.shown == {}
    assert "busy" in statuses.of("slack").last_error
    await sync.sync()
    assert len(wall.shown) == 1


async def test_a_place_that_asks_to_wait_is_left_alone_and_the_others_are_not(store: Store) -> None:
    wall = Wall()
    sync, _ = sync_of(wall, store), await waiting(store)
    await store.channels.places.keep(Place("demo", "slack", "T1", "C-staff-2", "staff 2", is_staff=True))
    wall.faults["post"].append(ChannelError("wait", retry_after=60))
    await sync.sync()
    await sync.sync()
    assert len(wall.shown) == 1


async def test_what_is_refused_for_good_is_not_tried_again(store: Store) -> None:
    wall = Wall()
    sync, _ = sync_of(wall, store), await waiting(store)
    wall.faults["post"].append(ChannelError("no such channel", permanent=True))
    await sync.sync()
    with shifted(LATER):
        await sync.sync()
    assert wall.shown == {}


async def test_a_card_whose_answer_was_lost_is_found_again_and_not_repeated(store: Store) -> None:
    wall = Wall()
    sync, review = sync_of(wall, store), await waiting(store)
    wall.faults["post"].append(UncertainError("no answer"))
    await sync.sync()
    await sync.sync()
    assert len(wall.shown) == 1
    with shifted(LATER):
        await sync.sync()
    assert len(wall.shown) == 1
    assert await store.channels.review_cards.unconfirmed("slack") == []
    assert review.status is ReviewStatus.PENDING


async def test_a_card_that_was_cut_off_before_it_was_posted_is_posted_if_the_review_still_waits(
    store: Store, agent: Member
) -> None:
    wall = Wall()
    sync, review = sync_of(wall, store), await waiting(store)
    ((place, _),) = await store.channels.review_cards.missing("slack")
    assert await store.channels.review_cards.begin(place, review)
    await sync.sync()
    assert wall.shown == {}, "whoever has begun it may still be posting"
    with shifted(LATER):
        await sync.sync()
        assert wall.shown == {"m1": "pending"}
        await approved(store, agent, review)
        await sync.sync()
    assert wall.shown == {"m1": "decided"}


async def test_a_team_that_has_removed_the_app_gets_its_cards_when_it_is_back(store: Store) -> None:
    wall = Wall(is_served=False)
    sync, _ = sync_of(wall, store), await waiting(store)
    await sync.sync()
    assert wall.shown == {}
    wall.is_served = True
    await sync.sync()
    assert len(wall.shown) == 1
