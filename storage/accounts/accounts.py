"""Accounts: one login per e-mail address, whichever workspaces it opens.

Nobody proves an address here. So an account is joined to a further workspace only by its own password, and an admin
sets the password of an account that nothing but their workspace uses: else whoever adds an address that somebody else
has, or has taken first, would come in where it is trusted.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.accounts.emails import checked_email
from storage.accounts.passwords import Passwords
from storage.accounts.sessions import end_sessions
from storage.database.engine import Database
from storage.database.tables import accounts, members, sessions
from storage.database.upsert import insert_into
from storage.errors import ConflictError, NotAllowedError, NotFoundError, NotLoggedInError
from storage.records import Member, new_id

HAS_LOGIN = "This e-mail has a login already: give its own password, or let whoever runs the desk set a new one."
WRONG_LOGIN = "This e-mail and password do not match."
PRESENT = members.c.removed_at.is_(None)
"""Members with a login; the rows of removed ones stay for the names at what they did."""


@dataclass(frozen=True, slots=True)
class AccountClaim:
    """A checked wish to use an e-mail's account: what its password was found to be, or shall be."""

    email: str
    account_id: str | None
    """None: there is no account yet."""
    password_hash: str
    replaces_password: bool = False


class Accounts:
    """Checks passwords, each at the cost of one hash, and changes them."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    async def authenticate(self, email: str, password: str) -> str:
        """The account whose e-mail and password these are, by one hash even if there is none. NotLoggedInError."""
        query = select(accounts.c.id, accounts.c.password_hash).where(accounts.c.email == email.strip().lower())
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if not await self._passwords.matches(row.password_hash if row else None, password) or row is None:
            raise NotLoggedInError(WRONG_LOGIN)
        return str(row.id)

    async def claim(self, email: str, password: str, *, replaces_password: bool = False) -> AccountClaim:
        """Check that this password may use the e-mail's account, or make it one; ConflictError if it may not.

        `replaces_password`: whoever runs the desk says so.
        """
        address = checked_email(email)
        async with self._database.read() as connection:
            query = select(accounts.c.id, accounts.c.password_hash, _is_free()).where(accounts.c.email == address)
            row = (await connection.execute(query)).one_or_none()
        if row is not None and not (replaces_password or row[2]):
            if not await self._passwords.matches(row.password_hash, password):
                raise ConflictError(HAS_LOGIN)
            return AccountClaim(address, row.id, row.password_hash)
        password_hash = await self._passwords.hash(password)
        return AccountClaim(address, row.id if row else None, password_hash, replaces_password)

    async def change_password(self, account_id: str, current: str, new: str) -> None:
        """Set one's own password; every session of the account ends. NotAllowedError if `current` is wrong."""
        query = select(accounts.c.password_hash).where(accounts.c.id == account_id)
        async with self._database.read() as connection:
            known = await connection.scalar(query)
        if not await self._passwords.matches(known, current):
            raise NotAllowedError("The current password is another one.")
        password_hash = await self._passwords.hash(new)
        async with self._database.write() as connection:
            await put_password(connection, account_id, password_hash, must_change=False)

    async def reset_password(self, workspace_id: str, email: str, password: str, *, by_host: bool = False) -> None:
        """Set a password that the member must change at the next login; open logins end.

        `by_host`: on the machine's own command line. An admin resets only who is nowhere else and no operator.
        """
        password_hash = await self._passwords.hash(password)
        address = checked_email(email)
        mine = (members.c.workspace_id == workspace_id) & (members.c.email == address) & PRESENT
        async with self._database.write() as connection:
            account_id = await connection.scalar(select(members.c.account_id).where(mine))
            if account_id is None:
                raise NotFoundError(f"{email} is no member of `{workspace_id}`.")
            if not by_host and await _is_known_elsewhere(connection, account_id, workspace_id):
                raise NotAllowedError(
                    f"{address} has other workspaces too: they change their password themselves, or whoever runs "
                    "the desk does by `deskhand member reset`."
                )
            await put_password(connection, account_id, password_hash, must_change=True)

    async def is_operator(self, member: Member) -> bool:
        """Whether this person runs the deployment, which is more than to be a workspace's admin."""
        query = select(accounts.c.is_operator).join(members, members.c.account_id == accounts.c.id)
        async with self._database.read() as connection:
            return bool(await connection.scalar(query.where(members.c.id == member.id, PRESENT)))

    async def require_operator(self, member: Member) -> None:
        """Raise NotAllowedError unless this person is an operator."""
        if not await self.is_operator(member):
            raise NotAllowedError("Only operators of this desk may do this.")

    async def set_operator(self, email: str, *, is_operator: bool) -> None:
        """Make somebody an operator or take it back; NotFoundError if nobody has a login with this e-mail."""
        address = checked_email(email)
        async with self._database.write() as connection:
            query = select(members.c.account_id, members.c.workspace_id).where(members.c.email == address, PRESENT)
            row = (await connection.execute(query.limit(1))).one_or_none()
            if row is None or row.account_id is None:
                raise NotFoundError(f"Nobody has a login with {address}.")
            await put_operator(connection, row.account_id, is_operator=is_operator)
            data = {"email": address, "is_operator": is_operator}
            await audit.record(connection, "account.operator-changed", row.workspace_id, data=data)

    async def operators(self) -> list[str]:
        """The operators' e-mail addresses."""
        async with self._database.read() as connection:
            query = select(accounts.c.email).where(accounts.c.is_operator, _has_members())
            return list((await connection.execute(query.order_by(accounts.c.email))).scalars())

    async def without_password(self) -> list[str]:
        """Members' addresses whose account has no password that can be trusted: `deskhand member reset` sets one."""
        async with self._database.read() as connection:
            query = select(accounts.c.email).where(accounts.c.password_hash.is_(None), _has_members())
            return list((await connection.execute(query.order_by(accounts.c.email))).scalars())


async def take_account(connection: AsyncConnection, claim: AccountClaim, name: str) -> str:
    """The account's id, in the transaction that makes its member. ConflictError if it changed meanwhile."""
    if claim.account_id is None:
        values = {"email": claim.email, "name": name, "password_hash": claim.password_hash}
        row = insert_into(connection, accounts).values(id=new_id(), created_at=clock.now(), **values)
        made = await connection.scalar(row.on_conflict_do_nothing(index_elements=["email"]).returning(accounts.c.id))
        if made is None:
            raise ConflictError(HAS_LOGIN)
        return str(made)
    free = claim.replaces_password or await connection.scalar(select(_is_free()).where(_is(claim.account_id)))
    known = await connection.scalar(select(accounts.c.password_hash).where(_is(claim.account_id)).with_for_update())
    if known != claim.password_hash:
        if not free:
            raise ConflictError(HAS_LOGIN)
        await put_password(connection, claim.account_id, claim.password_hash, must_change=False)
    return claim.account_id


async def put_password(connection: AsyncConnection, account_id: str, password_hash: str, *, must_change: bool) -> None:
    """A new password; every session of the account ends.

    The members' own columns are written along for a process of the version before, which reads them.
    """
    values = {"password_hash": password_hash, "must_change_password": must_change}
    await connection.execute(update(accounts).where(_is(account_id)).values(**values))
    version_before = {"password_hash": password_hash, "token_version": members.c.token_version + 1}
    await connection.execute(update(members).where(members.c.account_id == account_id).values(**version_before))
    await end_sessions(connection, sessions.c.account_id == account_id)


async def put_operator(connection: AsyncConnection, account_id: str, *, is_operator: bool) -> None:
    """Give or take what operators may do."""
    await connection.execute(update(accounts).where(_is(account_id)).values(is_operator=is_operator))


async def _is_known_elsewhere(connection: AsyncConnection, account_id: str, workspace_id: str) -> bool:
    elsewhere = exists().where(members.c.account_id == account_id, members.c.workspace_id != workspace_id, PRESENT)
    query = select(elsewhere | accounts.c.is_operator).where(_is(account_id))
    return bool(await connection.scalar(query))


def _is(account_id: str) -> ColumnElement[bool]:
    return accounts.c.id == account_id


def _has_members() -> ColumnElement[bool]:
    return exists().where(members.c.account_id == accounts.c.id, PRESENT)


def _is_free() -> ColumnElement[bool]:
    """Nobody comes in by the account, so a new password takes nothing from anybody."""
    return ~_has_members() & ~accounts.c.is_operator
