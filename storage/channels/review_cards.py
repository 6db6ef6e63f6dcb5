"""Transactional outbox of review cards: which to post in the staff's places, and which to bring up to date."""

from datetime import timedelta

from sqlalchemy import RowMapping, and_, delete, select, update

from storage import clock
from storage.database.engine import Database
from storage.database.tables import (
    conversations,
    places,
    review_cards,
    reviews,
)
from storage.database.upsert import insert_into
from storage.records import (
    Card,
    ChannelName,
    Place,
    Review,
    ReviewStatus,
    new_id,
)
from storage.turns.reviews import reading_reviews, review_of

BATCH = 50


class ReviewCardTable:
    """Says which cards are missing or outdated, and keeps which message shows which review.

    A card is begun before it is posted: `begin` gives None when another process has begun it. A card whose
    `external_id` stayed None was cut off by a crash or a lost answer: look for it before posting it again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def missing(self, channel: ChannelName) -> list[tuple[Place, Review]]:
        """Pending reviews that a staff place of this channel does not show yet, the longest waiting first."""
        shown = select(review_cards.c.id).where(
            review_cards.c.review_id == reviews.c.id,
            review_cards.c.channel == channel,
            review_cards.c.place == places.c.external_id,
        )
        query = (
            reading_reviews()
            .add_columns(
                places.c.team.label("place_team"),
                places.c.external_id.label("place_external_id"),
                places.c.name.label("place_name"),
            )
            .join(
                places,
                and_(places.c.workspace_id == reviews.c.workspace_id, places.c.channel == channel, places.c.is_staff),
            )
            .where(reviews.c.status == ReviewStatus.PENDING, ~shown.exists())
            .order_by(reviews.c.created_at)
            .limit(BATCH)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [(_place_of(row, channel), review_of(row)) for row in rows]

    async def begin(self, place: Place, review: Review) -> Card | None:
        """Note that a card is about to be posted; None if that has been done already."""
        card = Card(
            id=new_id(),
            workspace_id=review.workspace_id,
            review_id=review.id,
            version=review.version,
            channel=place.channel,
            team=place.team,
            place=place.external_id,
            external_id=None,
            shown_status=ReviewStatus.PENDING,
        )
        async with self._database.write() as connection:
            row = insert_into(connection, review_cards).values(
                id=card.id,
                workspace_id=card.workspace_id,
                review_id=card.review_id,
                version=card.version,
                channel=card.channel,
                team=card.team,
                place=card.place,
                shown_status=card.shown_status,
                created_at=clock.now(),
            )
            begun = await connection.execute(row.on_conflict_do_nothing().returning(review_cards.c.id))
            return card if begun.first() else None

    async def mark_posted(self, card: Card, external_id: str) -> None:
        """The platform has it."""
        async with self._database.write() as connection:
            await connection.execute(
                update(review_cards).where(review_cards.c.id == card.id).values(external_id=external_id)
            )

    async def withdraw(self, card: Card) -> None:
        """The platform has certainly not taken it: it is missing again."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(review_cards).where(review_cards.c.id == card.id, review_cards.c.external_id.is_(None))
            )

    async def unconfirmed(self, channel: ChannelName, older_than: timedelta = timedelta(0)) -> list[Card]:
        """Cards that were begun this long ago and whose posting nobody has confirmed."""
        query = (
            select(review_cards)
            .where(
                review_cards.c.channel == channel,
                review_cards.c.external_id.is_(None),
                review_cards.c.shown_status == ReviewStatus.PENDING,
                review_cards.c.created_at <= clock.now() - older_than,
            )
            .limit(BATCH)
        )
        async with self._database.read() as connection:
            return [_card_of(row) for row in (await connection.execute(query)).mappings()]

    async def outdated(self, channel: ChannelName) -> list[Card]:
        """Cards that show a review as pending which is decided or overtaken."""
        query = (
            select(review_cards)
            .join(reviews, reviews.c.id == review_cards.c.review_id)
            .where(
                review_cards.c.channel == channel,
                review_cards.c.external_id.is_not(None),
                review_cards.c.shown_status == ReviewStatus.PENDING,
                reviews.c.status != ReviewStatus.PENDING,
            )
            .limit(BATCH)
        )
        async with self._database.read() as connection:
            return [_card_of(row) for row in (await connection.execute(query)).mappings()]

    async def mark_shown(self, card: Card, status: ReviewStatus) -> None:
        """The card shows this now."""
        async with self._database.write() as connection:
            await connection.execute(
                update(review_cards).where(review_cards.c.id == card.id).values(shown_status=status)
            )

    async def overtaken_because(self, review: Review) -> str:
        """Plain words for a card whose review was overtaken."""
        query = select(conversations.c.status).where(conversations.c.id == review.conversation_id)
        async with self._database.read() as connection:
            status = (await connection.execute(query)).scalar_one_or_none()
        if status == "assigned":
            return "A person has taken the conversation over."
        return "The customer wrote more or changed their message: this draft is out of date."


def _place_of(row: RowMapping, channel: ChannelName) -> Place:
    return Place(
        workspace_id=row["workspace_id"],
        channel=channel,
        team=row["place_team"],
        external_id=row["place_external_id"],
        name=row["place_name"],
        is_staff=True,
    )


def _card_of(row: RowMapping) -> Card:
    return Card(
        id=row["id"],
        workspace_id=row["workspace_id"],
        review_id=row["review_id"],
        version=row["version"],
        channel=row["channel"],
        team=row["team"],
        place=row["place"],
        external_id=row["external_id"],
        shown_status=ReviewStatus(row["shown_status"]),
    )
