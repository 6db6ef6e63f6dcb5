"""Places: the support channels of Slack and Discord, each with its own mode, and where the staff sits."""

from sqlalchemy import RowMapping, delete, select

from storage import audit, clock
from storage.database.engine import Database
from storage.database.tables import places
from storage.database.upsert import insert_into
from storage.records import (
    ChannelName,
    Member,
    Mode,
    Place,
    new_id,
)

KEY = ["workspace_id", "channel", "external_id"]


class Places:
    """Keeps the places that admins have set up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, place: Place, by: Member | None = None) -> None:
        """Add a place, or change the one that is there; `by` whom, for the audit trail."""
        values = {"team": place.team, "name": place.name[:200], "mode": place.mode, "is_staff": place.is_staff}
        async with self._database.write() as connection:
            row = insert_into(connection, places).values(
                id=new_id(),
                workspace_id=place.workspace_id,
                channel=place.channel,
                external_id=place.external_id,
                created_at=clock.now(),
                **values,
            )
            await connection.execute(row.on_conflict_do_update(index_elements=KEY, set_=values))
            await audit.record(
                connection,
                "place.changed",
                place.workspace_id,
                member_id=by.id if by else None,
                data={"channel": place.channel, "place": place.external_id, "mode": place.mode},
            )

    async def remove(self, workspace_id: str, channel: ChannelName, external_id: str, by: Member | None = None) -> None:
        """Nothing is set up there any more: mentions follow the workspace's mode."""
        mine = (
            (places.c.workspace_id == workspace_id)
            & (places.c.channel == channel)
            & (places.c.external_id == external_id)
        )
        async with self._database.write() as connection:
            if not (await connection.execute(delete(places).where(mine))).rowcount:
                return
            await audit.record(
                connection,
                "place.removed",
                workspace_id,
                member_id=by.id if by else None,
                data={"channel": channel, "place": external_id},
            )

    async def find(self, workspace_id: str, channel: ChannelName, external_id: str) -> Place | None:
        """One place; None if nobody has set it up."""
        query = select(places).where(
            places.c.workspace_id == workspace_id, places.c.channel == channel, places.c.external_id == external_id
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return _place_of(row) if row else None

    async def all(self, workspace_id: str, channel: ChannelName | None = None) -> list[Place]:
        """The workspace's places by name."""
        query = select(places).where(places.c.workspace_id == workspace_id).order_by(places.c.name)
        if channel is not None:
            query = query.where(places.c.channel == channel)
        async with self._database.read() as connection:
            return [_place_of(row) for row in (await connection.execute(query)).mappings()]

    async def staff_places(self, channel: ChannelName) -> list[Place]:
        """Every workspace's staff places in this channel."""
        query = select(places).where(places.c.channel == channel, places.c.is_staff).order_by(places.c.created_at)
        async with self._database.read() as connection:
            return [_place_of(row) for row in (await connection.execute(query)).mappings()]


def _place_of(row: RowMapping) -> Place:
    return Place(
        workspace_id=row["workspace_id"],
        channel=row["channel"],
        team=row["team"],
        external_id=row["external_id"],
        name=row["name"],
        mode=Mode(row["mode"]) if row["mode"] else None,
        is_staff=row["is_staff"],
    )
