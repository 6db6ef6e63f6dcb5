"""Membership: roles that change, and members who leave."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.accounts.accounts import PRESENT
from storage.accounts.members import member_of
from storage.accounts.sessions import end_sessions
from storage.database.engine import Database
from storage.database.tables import identities, members, sessions, workspaces
from storage.errors import NotAllowedError, NotFoundError
from storage.records import Member, Role

ANOTHER_ADMIN = "ask another admin, or make somebody an admin who then does it."
ReleaseWork: TypeAlias = Callable[[AsyncConnection, Member, Member], Awaitable[tuple[str, ...]]]
"""Takes (transaction, admin, member who leaves), frees what the member works on, gives the ids of conversations."""


class Membership:
    """Changes by an admin to somebody else: so a workspace always keeps an admin, and nobody shuts themselves out.

    `release_work` runs in the transaction of a removal: a crash in between would leave customers with somebody who
    is not there any more.
    """

    def __init__(self, database: Database, release_work: ReleaseWork) -> None:
        self._database = database
        self._release_work = release_work

    async def change_role(self, by: Member, member_id: str, role: Role) -> Member:
        """Make a member an agent or an admin; they log in anew. Raises NotAllowedError, NotFoundError."""
        async with self._database.write() as connection:
            member = await _locked(connection, by, member_id)
            if member.role is role:
                return member
            if member.id == by.id:
                raise NotAllowedError(f"You cannot change your own role: {ANOTHER_ADMIN}")
            row = await _change(connection, member.id, role=role)
            await end_sessions(connection, sessions.c.member_id == member.id)
            await _record(connection, "member.role-changed", by, member, role=role)
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
            await end_sessions(connection, sessions.c.member_id == member.id)
            await connection.execute(delete(identities).where(identities.c.member_id == member.id))
            released = await self._release_work(connection, by, member)
            await _record(connection, "member.removed", by, member, conversations=len(released))
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


async def _record(connection: AsyncConnection, kind: str, by: Member, member: Member, **data: object) -> None:
    about = {"member_id": member.id, "name": member.name, **data}
    await audit.record(connection, kind, by.workspace_id, member_id=by.id, data=about)
