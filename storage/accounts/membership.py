"""Who works in a workspace: roles that change, and members who leave."""

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.accounts.members import PRESENT, member_of
from storage.conversations import messages
from storage.database.engine import Database
from storage.database.tables import (
    conversations,
    identities,
    members,
    reviews,
    workspaces,
)
from storage.errors import NotAllowedError, NotFoundError
from storage.records import ConversationStatus, Member, ReviewStatus, Role

ANOTHER_ADMIN = "ask another admin, or make somebody an admin who then does it."


class Membership:
    """Changes by an admin to somebody else: so a workspace always keeps an admin, and nobody shuts themselves out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change_role(self, by: Member, member_id: str, role: Role) -> Member:
        """Make a member an agent or an admin, from their next click on. Raises NotAllowedError, NotFoundError."""
        async with self._database.write() as connection:
            member = await _locked(connection, by, member_id)
            if member.role is role:
                return member
            if member.id == by.id:
                raise NotAllowedError(f"You cannot change your own role: {ANOTHER_ADMIN}")
            row = await _change(connection, member.id, role=role)
            await _tell(connection, "member.role-changed", by, member, role=role)
        return member_of(row)

    async def remove(self, by: Member, member_id: str) -> tuple[str, ...]:
        """End a member's logins and links at once; what they wrote and decided stays, with their name.

        Gives the conversations that they had: these wait for anybody now, and a line in each says why.
        Raises NotAllowedError, NotFoundError.
        """
        async with self._database.write() as connection:
            member = await _locked(connection, by, member_id)
            if member.id == by.id:
                raise NotAllowedError(f"You cannot remove yourself: {ANOTHER_ADMIN}")
            await _change(connection, member.id, removed_at=clock.now(), token_version=members.c.token_version + 1)
            await connection.execute(delete(identities).where(identities.c.member_id == member.id))
            await _release_claims(connection, member)
            released = await _release_conversations(connection, by, member)
            await _tell(connection, "member.removed", by, member, conversations=len(released))
        return released


async def _locked(connection: AsyncConnection, by: Member, member_id: str) -> Member:
    """The member, with the workspace's row held: two admins who remove each other come one after the other.

    Held without the key, so that messages which come in meanwhile, and refer to the workspace, need not wait.
    """
    mine = select(workspaces.c.id).where(workspaces.c.id == by.workspace_id)
    await connection.execute(mine.with_for_update(key_share=True))
    query = select(members).where(members.c.workspace_id == by.workspace_id, PRESENT)
    found = {row["id"]: member_of(row) for row in (await connection.execute(query)).mappings()}
    if member_id not in found:
        raise NotFoundError("There is no such member in this workspace.")
    if by.id not in found or found[by.id].role is not Role.ADMIN:
        raise NotAllowedError("Only admins may do this.")
    return found[member_id]


async def _change(connection: AsyncConnection, member_id: str, **values: object) -> RowMapping:
    change = update(members).where(members.c.id == member_id).values(**values).returning(*members.c)
    return (await connection.execute(change)).mappings().one()


async def _release_claims(connection: AsyncConnection, member: Member) -> None:
    claimed = (reviews.c.workspace_id == member.workspace_id) & (reviews.c.status == ReviewStatus.PENDING)
    mine = claimed & (reviews.c.claimed_by == member.id)
    await connection.execute(update(reviews).where(mine).values(claimed_by=None))


async def _release_conversations(connection: AsyncConnection, by: Member, member: Member) -> tuple[str, ...]:
    theirs = (
        (conversations.c.workspace_id == member.workspace_id)
        & (conversations.c.status == ConversationStatus.ASSIGNED)
        & (conversations.c.assignee_id == member.id)
    )
    query = select(conversations).where(theirs).order_by(conversations.c.id).with_for_update()
    rows = (await connection.execute(query)).mappings().all()
    for row in rows:
        mine = conversations.c.id == row["id"]
        await connection.execute(update(conversations).where(mine).values(assignee_id=None, updated_at=clock.now()))
        line = f"{by.name} removed {member.name} from the team: nobody has this conversation now."
        await messages.say(connection, row, line, member_id=by.id)
        await audit.record(
            connection,
            "conversation.unassigned",
            member.workspace_id,
            conversation_id=row["id"],
            member_id=by.id,
            data={"member_id": member.id},
        )
    return tuple(row["id"] for row in rows)


async def _tell(connection: AsyncConnection, kind: str, by: Member, member: Member, **data: object) -> None:
    log_fields = {"member_id": member.id, "name": member.name, **data}
    await audit.record(connection, kind, by.workspace_id, member_id=by.id, data=log_fields)
