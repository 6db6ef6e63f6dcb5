"""Members: the people with a login in a workspace."""

from dataclasses import replace

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.accounts.accounts import PRESENT, WRONG_LOGIN, Accounts, put_operator, take_account
from storage.accounts.deployment import claim_setup, put_home_workspace, read_home_workspace
from storage.accounts.emails import checked_email
from storage.accounts.invitations import redeem
from storage.accounts.workspaces import insert_workspace
from storage.database.engine import Database
from storage.database.tables import members
from storage.errors import ConflictError, NotLoggedInError
from storage.records import Member, Role, Workspace, new_id


class Members:
    """Adds accounts to workspaces, and finds an account's members."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts

    async def add(
        self, workspace_id: str, email: str, name: str, role: Role, password: str, *, replaces_password: bool = False
    ) -> Member:
        """A new member, or one that comes back after a removal.

        Raises ConflictError if the e-mail has a login in this workspace already, or one elsewhere with another
        password. `replaces_password`: whoever runs the desk sets this one instead.
        """
        member = _new_member(workspace_id, email, name, role)
        await self._require_new(member)
        claim = await self._accounts.claim(email, password, replaces_password=replaces_password)
        try:
            async with self._database.write() as connection:
                account_id = await take_account(connection, claim, member.name)
                restored = await _restore(connection, member, account_id, claim.password_hash)
                member = restored or await _insert(connection, member, account_id, claim.password_hash)
                await audit.record(connection, "member.added", workspace_id, data={"member_id": member.id})
        except IntegrityError as error:
            raise _is_member_already(member) from error
        return member

    async def found_workspace(
        self,
        workspace: Workspace,
        email: str,
        name: str,
        password: str,
        *,
        only_first: bool = False,
        invitation: str = "",
    ) -> Member:
        """A new workspace with its first admin: both or neither. ConflictError if the workspace's id is taken.

        The first of all sets the desk up: an operator, whose workspace is the home workspace. `only_first`: raise
        RegistrationClosedError for any other. `invitation`: used up by it; the same error if that is not valid.
        """
        admin = _new_member(workspace.id, email, name, Role.ADMIN)
        claim = await self._accounts.claim(email, password)
        async with self._database.write() as connection:
            # The lock first: the workspace's row is refused only to whoever would have been let in.
            sets_up = await claim_setup(connection, only_first=only_first)
            if invitation:
                await redeem(connection, invitation)
            await insert_workspace(connection, workspace)
            if sets_up and await read_home_workspace(connection) is None:
                await put_home_workspace(connection, workspace.id)
            account_id = await take_account(connection, claim, admin.name)
            await _insert(connection, admin, account_id, claim.password_hash)
            if sets_up:
                await put_operator(connection, account_id, is_operator=True)
            await audit.record(connection, "member.added", workspace.id, data={"member_id": admin.id})
        return admin

    async def all(self, workspace_id: str) -> list[Member]:
        """The workspace's members by name."""
        query = select(members).where(members.c.workspace_id == workspace_id, PRESENT).order_by(members.c.name)
        async with self._database.read() as connection:
            return [member_of(row) for row in (await connection.execute(query)).mappings()]

    async def _require_new(self, member: Member) -> None:
        mine = (members.c.workspace_id == member.workspace_id) & (members.c.email == member.email)
        async with self._database.read() as connection:
            if await connection.scalar(select(members.c.id).where(mine, PRESENT)):
                raise _is_member_already(member)

    async def log_in(self, email: str, password: str) -> list[Member]:
        """The account's members, one per workspace; NotLoggedInError unless e-mail and password match."""
        account_id = await self._accounts.authenticate(email, password)
        query = select(members).where(members.c.account_id == account_id, PRESENT).order_by(members.c.created_at)
        async with self._database.read() as connection:
            found = [member_of(row) for row in (await connection.execute(query)).mappings()]
        if not found:
            raise NotLoggedInError(WRONG_LOGIN)
        return found


def _is_member_already(member: Member) -> ConflictError:
    return ConflictError(f"{member.email} is a member of `{member.workspace_id}` already.")


def _new_member(workspace_id: str, email: str, name: str, role: Role) -> Member:
    address = checked_email(email)
    return Member(new_id(), workspace_id, address, (name.strip() or address)[:200], role)


async def _insert(connection: AsyncConnection, member: Member, account_id: str, password_hash: str) -> Member:
    await connection.execute(
        insert(members).values(
            id=member.id,
            workspace_id=member.workspace_id,
            account_id=account_id,
            email=member.email,
            name=member.name,
            role=member.role,
            password_hash=password_hash,
            created_at=clock.now(),
        )
    )
    return member


async def _restore(connection: AsyncConnection, member: Member, account_id: str, password_hash: str) -> Member | None:
    """Whoever was removed keeps their id, and with it what they wrote; None if nobody with this e-mail was."""
    removed = (members.c.workspace_id == member.workspace_id) & (members.c.email == member.email) & ~PRESENT
    restore = (
        update(members)
        .where(removed)
        .values(
            name=member.name,
            role=member.role,
            account_id=account_id,
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
