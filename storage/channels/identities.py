"""Identity mapping: which member a chat platform's user is, so that staff are recognised there."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select

from storage import audit, clock
from storage.accounts.accounts import PRESENT
from storage.accounts.members import member_of
from storage.database.engine import Database
from storage.database.tables import identities, members
from storage.database.upsert import insert_into
from storage.errors import NotFoundError
from storage.records import ChannelName, Member, new_id

KEY = ["workspace_id", "channel", "external_id"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of a chat platform who is a member."""

    member: Member
    channel: ChannelName
    external_id: str
    """Slack: TEAM/USER; Discord: the user's id."""


class Identities:
    """Links members to their users on Slack and Discord."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def link(self, workspace_id: str, member_id: str, channel: ChannelName, external_id: str) -> None:
        """This user of the platform is this member; whoever was linked to the user before is not any more."""
        async with self._database.write() as connection:
            mine = (members.c.id == member_id) & (members.c.workspace_id == workspace_id) & PRESENT
            query = select(members.c.id).where(mine)
            if (await connection.execute(query)).first() is None:
                raise NotFoundError("There is no such member in this workspace.")
            values = {"member_id": member_id, "created_at": clock.now()}
            row = insert_into(connection, identities).values(
                id=new_id(), workspace_id=workspace_id, channel=channel, external_id=external_id, **values
            )
            await connection.execute(row.on_conflict_do_update(index_elements=KEY, set_=values))
            await audit.record(
                connection,
                "identity.linked",
                workspace_id,
                member_id=member_id,
                data={"channel": channel, "external_id": external_id},
            )

    async def unlink(self, workspace_id: str, channel: ChannelName, external_id: str, by: Member | None = None) -> None:
        """This user of the platform is nobody we know any more; `by` whom, for the audit trail."""
        async with self._database.write() as connection:
            gone = delete(identities).where(_is_user(workspace_id, channel, external_id))
            if not (await connection.execute(gone)).rowcount:
                return
            await audit.record(
                connection,
                "identity.unlinked",
                workspace_id,
                member_id=by.id if by else None,
                data={"channel": channel, "external_id": external_id},
            )

    async def all(self, workspace_id: str) -> list[Identity]:
        """Every link of the workspace, by the member's name."""
        query = (
            select(members, identities.c.channel, identities.c.external_id)
            .join(identities, identities.c.member_id == members.c.id)
            .where(identities.c.workspace_id == workspace_id, PRESENT)
            .order_by(members.c.name, identities.c.channel, identities.c.external_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Identity(member_of(row), row["channel"], row["external_id"]) for row in rows]

    async def member(self, workspace_id: str, channel: ChannelName, external_id: str) -> Member | None:
        """The member who is this user of the platform; None for everybody else."""
        query = (
            select(members)
            .join(identities, identities.c.member_id == members.c.id)
            .where(_is_user(workspace_id, channel, external_id), members.c.workspace_id == workspace_id, PRESENT)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return member_of(row) if row else None


def _is_user(workspace_id: str, channel: ChannelName, external_id: str) -> ColumnElement[bool]:
    return (
        (identities.c.workspace_id == workspace_id)
        & (identities.c.channel == channel)
        & (identities.c.external_id == external_id)
    )
