"""Members: the people with a login in a workspace."""

from dataclasses import replace

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.accounts.deployment import claim_setup, put_home_workspace, read_home_workspace
from storage.accounts.emails import checked_email
from storage.accounts.passwords import Passwords
from storage.accounts.workspaces import insert_workspace
from storage.database.engine import Database
from storage.database.tables import members
from storage.errors import ConflictError, NotFoundError, NotLoggedInError
from storage.records import Member, Role, Workspace, new_id

PRESENT = members.c.removed_at.is_(None)
"""Members with a login; the rows of removed ones stay for the names at what they did."""


class Members:
    """Adds members and checks their passwords."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    async def add(self, workspace_id: str, email: str, name: str, role: Role, password: str) -> Member:
        """A new member, or one that comes back after a removal.

        Raises ConflictError if the e-mail has a login in this workspace already.
        """
        member = _new_member(workspace_id, email, name, role)
        password_hash = await self._passwords.hash(password)
        try:
            async with self._database.write() as connection:
                restored = await _restore(connection, member, password_hash)
                member = restored or await _insert(connection, member, password_hash)
                await audit.record(connection, "member.added", workspace_id, data={"member_id": member.id})
        except IntegrityError as error:
            raise ConflictError(f"{member.email} is a member of `{workspace_id}` already.") from error
        return member

    async def found_workspace(
        self, workspace: Workspace, email: str, name: str, password: str, *, only_first: bool = False
    ) -> Member:
        """A new workspace with its first admin: both or neither. ConflictError if the workspace's id is taken.

        The first of all sets the desk up: its workspace is the home workspace. `only_first`: raise
        RegistrationClosedError for any other.
        """
        admin = _new_member(workspace.id, email, name, Role.ADMIN)
        password_hash = await self._passwords.hash(password)
        async with self._database.write() as connection:
            # The lock first: the workspace's row is refused only to whoever would have been let in.
            sets_up = await claim_setup(connection, only_first=only_first)
            await insert_workspace(connection, workspace)
            if sets_up and await read_home_workspace(connection) is None:
                await put_home_workspace(connection, workspace.id)
            await _insert(connection, admin, password_hash)
            await audit.record(connection, "member.added", workspace.id, data={"member_id": admin.id})
        return admin

    async def all(self, workspace_id: str) -> list[Member]:
        """The workspace's members by name."""
        query = select(members).where(members.c.workspace_id == workspace_id, PRESENT).order_by(members.c.name)
        async with self._database.read() as connection:
            return [member_of(row) for row in (await connection.execute(query)).mappings()]

    async def reset_password(self, workspace_id: str, email: str, password: str) -> None:
        """Set a new password; logins with the old one end."""
        password_hash = await self._passwords.hash(password)
        mine = (members.c.workspace_id == workspace_id) & (members.c.email == checked_email(email)) & PRESENT
        async with self._database.write() as connection:
            changed = await connection.execute(
                update(members)
                .where(mine)
                .values(password_hash=password_hash, token_version=members.c.token_version + 1)
            )
        if not changed.rowcount:
            raise NotFoundError(f"{email} is no member of `{workspace_id}`.")

    async def log_in(self, email: str, password: str) -> list[Member]:
        """The members, one per workspace, whose e-mail and password these are; NotLoggedInError if none is."""
        mine = (members.c.email == email.strip().lower()) & PRESENT
        query = select(members).where(mine).order_by(members.c.created_at)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        if not rows:
            await self._passwords.matches(None, password)
        found = [member_of(row) for row in rows if await self._passwords.matches(row["password_hash"], password)]
        if not found:
            raise NotLoggedInError("This e-mail and password do not match.")
        return found


def _new_member(workspace_id: str, email: str, name: str, role: Role) -> Member:
    address = checked_email(email)
    return Member(new_id(), workspace_id, address, (name.strip() or address)[:200], role)


async def _insert(connection: AsyncConnection, member: Member, password_hash: str) -> Member:
    await connection.execute(
        insert(members).values(
            id=member.id,
            workspace_id=member.workspace_id,
            email=member.email,
            name=member.name,
            role=member.role,
            password_hash=password_hash,
            created_at=clock.now(),
        )
    )
    return member


async def _restore(connection: AsyncConnection, member: Member, password_hash: str) -> Member | None:
    """Whoever was removed keeps their id, and with it what they wrote; None if nobody with this e-mail was."""
    removed = (members.c.workspace_id == member.workspace_id) & (members.c.email == member.email) & ~PRESENT
    restore = (
        update(members)
        .where(removed)
        .values(
            name=member.name,
            role=member.role,
            password_hash=password_hash,
            token_version=members.c.token_version + 1,
            removed_at=None,
        )
    )
    member_id = (await connection.execute(restore.returning(members.c.id))).scalar_one_or_none()
    return replace(member, id=member_id) if member_id else None


def member_of(row: RowMapping) -> Member:
    """The record of a row of the table `members`."""
    return Member(row["id"], row["workspace_id"], row["email"], row["name"], Role(row["role"]))
