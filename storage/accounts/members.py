"""Members and customers with a login: passwords by argon2, logins as signed tokens."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.accounts.workspaces import keep_workspace
from storage.database.engine import Database
from storage.database.tables import customers, members
from storage.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    NotLoggedInError,
)
from storage.records import (
    Customer,
    Member,
    Role,
    Workspace,
    new_id,
)

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 200
ALGORITHM = "HS256"
PRESENT = members.c.removed_at.is_(None)
"""Members with a login; the rows of removed ones stay for the names at what they did."""


class Members:
    """Keeps members and customers' logins, and issues and checks their tokens."""

    def __init__(self, database: Database, secret: str, session: timedelta) -> None:
        self._database = database
        self._secret = secret
        self._session = session
        self._hasher = PasswordHasher()
        # Verified when there is no such login, so that the answer takes as long as for a wrong password.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    async def add(self, workspace_id: str, email: str, name: str, role: Role, password: str) -> Member:
        """A new member, or one that comes back after a removal.

        Raises ConflictError if the e-mail has a login in this workspace already.
        """
        member = _planned(workspace_id, email, name, role)
        password_hash = await self._hash(password)
        try:
            async with self._database.write() as connection:
                back = await _come_back(connection, member, password_hash)
                member = back or await _come(connection, member, password_hash)
                await audit.record(connection, "member.added", workspace_id, data={"member_id": member.id})
        except IntegrityError as error:
            raise ConflictError(f"{member.email} is a member of `{workspace_id}` already.") from error
        return member

    async def found(self, workspace: Workspace, email: str, name: str, password: str) -> Member:
        """A new workspace with its first admin: both or neither. ConflictError if the workspace's id is taken."""
        admin = _planned(workspace.id, email, name, Role.ADMIN)
        password_hash = await self._hash(password)
        async with self._database.write() as connection:
            await keep_workspace(connection, workspace)
            await _come(connection, admin, password_hash)
            await audit.record(connection, "member.added", workspace.id, data={"member_id": admin.id})
        return admin

    async def all(self, workspace_id: str) -> list[Member]:
        """The workspace's members by name."""
        query = select(members).where(members.c.workspace_id == workspace_id, PRESENT).order_by(members.c.name)
        async with self._database.read() as connection:
            return [member_of(row) for row in (await connection.execute(query)).mappings()]

    async def reset_password(self, workspace_id: str, email: str, password: str) -> None:
        """Set a new password; logins with the old one end."""
        password_hash = await self._hash(password)
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
            await self._matches(self._nobody, password)
        found = [member_of(row) for row in rows if await self._matches(row["password_hash"], password)]
        if not found:
            raise NotLoggedInError("This e-mail and password do not match.")
        return found

    async def token(self, member: Member, others: Sequence[Member] = ()) -> str:
        """A signed bearer token for a member.

        `others` are the same person's members in other workspaces, as `log_in` gave them: each was opened by
        the password, so the person may switch to them. An equal e-mail alone proves nothing.
        """
        ids = {member.id, *(other.id for other in others)}
        query = select(members.c.id, members.c.token_version).where(members.c.id.in_(ids))
        async with self._database.read() as connection:
            versions = {str(row.id): int(row.token_version) for row in await connection.execute(query)}
        return self._sign({"sub": member.id, "kind": "member", "versions": versions})

    async def by_token(self, token: str) -> Member:
        """The member a token was issued to; NotLoggedInError if it is not valid any more."""
        return (await self.choices(token))[0]

    async def choices(self, token: str) -> list[Member]:
        """The members a token may act as, the active one first."""
        claims = self._claims(token, "member")
        versions: dict[str, int] = claims.get("versions", {})
        query = select(members).where(members.c.id.in_(versions), PRESENT).order_by(members.c.workspace_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        valid = [member_of(row) for row in rows if row["token_version"] == versions[row["id"]]]
        active = [member for member in valid if member.id == claims["sub"]]
        if not active:
            raise NotLoggedInError("This login has ended; log in again.")
        return active + [member for member in valid if member.id != claims["sub"]]

    def conversation_token(self, conversation_id: str, customer_id: str) -> str:
        """The anonymous customer's bearer for one conversation."""
        return self._sign({"sub": conversation_id, "customer": customer_id, "kind": "conversation"}, days=90)

    def conversation_of(self, token: str) -> str:
        """The conversation that a customer's token opens."""
        return str(self._claims(token, "conversation")["sub"])

    def customer_token(self, customer: Customer) -> str:
        """A registered customer's bearer: it opens all of their conversations."""
        claims = {"sub": customer.id, "workspace": customer.workspace_id, "kind": "customer"}
        return self._sign(claims, days=30)

    def customer_of(self, token: str) -> tuple[str, str]:
        """(workspace, customer) that a registered customer's token stands for."""
        claims = self._claims(token, "customer")
        return str(claims["workspace"]), str(claims["sub"])

    def kind_of(self, token: str) -> str:
        """`member`, `conversation` or `customer`."""
        return str(self._claims(token, None)["kind"])

    async def register_customer(self, workspace_id: str, email: str, name: str, password: str) -> Customer:
        """A customer with a login in the web chat."""
        address = checked_email(email)
        password_hash = await self._hash(password)
        customer = Customer(new_id(), workspace_id, "web", f"login:{address}", name.strip(), address)
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    insert(customers).values(
                        id=customer.id,
                        workspace_id=workspace_id,
                        channel=customer.channel,
                        external_id=customer.external_id,
                        name=customer.name[:200],
                        email=address,
                        password_hash=password_hash,
                        created_at=clock.now(),
                    )
                )
        except IntegrityError as error:
            raise ConflictError("There is a login with this e-mail already.") from error
        return customer

    async def log_in_customer(self, workspace_id: str, email: str, password: str) -> Customer:
        """The customer whose e-mail and password these are."""
        query = select(customers).where(
            customers.c.workspace_id == workspace_id,
            customers.c.channel == "web",
            customers.c.external_id == f"login:{email.strip().lower()}",
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        password_hash = row["password_hash"] if row else self._nobody
        if not await self._matches(password_hash, password) or row is None:
            raise NotLoggedInError("This e-mail and password do not match.")
        return _customer_of(row)

    async def customer(self, workspace_id: str, customer_id: str) -> Customer:
        """One customer; NotFoundError outside the workspace."""
        query = select(customers).where(customers.c.id == customer_id, customers.c.workspace_id == workspace_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise NotFoundError("There is no such customer in this workspace.")
        return _customer_of(row)

    async def _hash(self, password: str) -> str:
        if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
            raise InvalidError(f"A password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters.")
        return await asyncio.to_thread(self._hasher.hash, password)

    async def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return await asyncio.to_thread(self._hasher.verify, password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def _sign(self, claims: dict[str, Any], days: int = 0) -> str:
        lasts = timedelta(days=days) if days else self._session
        return jwt.encode({**claims, "exp": clock.now() + lasts}, self._secret, algorithm=ALGORITHM)

    def _claims(self, token: str, kind: str | None) -> dict[str, Any]:
        try:
            claims = jwt.decode(token, self._secret, algorithms=[ALGORITHM], options={"require": ["exp", "sub"]})
        except jwt.ExpiredSignatureError as error:
            raise NotLoggedInError("This login has ended; log in again.") from error
        except jwt.InvalidTokenError as error:
            raise NotLoggedInError("This is no valid login token.") from error
        if kind is not None and claims.get("kind") != kind:
            raise NotLoggedInError("This token is for something else.")
        return dict(claims)


def checked_email(email: str) -> str:
    """The e-mail address in lower case; InvalidError if it cannot be one."""
    try:
        # `.example` and `.local` are reserved, but a demo and an internal desk use them.
        return validate_email(email.strip(), check_deliverability=False, globally_deliverable=False).normalized.lower()
    except EmailNotValidError as error:
        raise InvalidError(f"This is no e-mail address: {error}") from error


async def _come(connection: AsyncConnection, member: Member, password_hash: str) -> Member:
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


def _planned(workspace_id: str, email: str, name: str, role: Role) -> Member:
    address = checked_email(email)
    return Member(new_id(), workspace_id, address, (name.strip() or address)[:200], role)


async def _come_back(connection: AsyncConnection, member: Member, password_hash: str) -> Member | None:
    """Whoever was removed keeps their id, and with it what they wrote; None if nobody with this e-mail was."""
    gone = (members.c.workspace_id == member.workspace_id) & (members.c.email == member.email) & ~PRESENT
    back = (
        update(members)
        .where(gone)
        .values(
            name=member.name,
            role=member.role,
            password_hash=password_hash,
            token_version=members.c.token_version + 1,
            removed_at=None,
        )
    )
    member_id = (await connection.execute(back.returning(members.c.id))).scalar_one_or_none()
    return replace(member, id=member_id) if member_id else None


def member_of(row: RowMapping) -> Member:
    """The record of a row of the table `members`."""
    return Member(row["id"], row["workspace_id"], row["email"], row["name"], Role(row["role"]))


def _customer_of(row: RowMapping) -> Customer:
    return Customer(row["id"], row["workspace_id"], row["channel"], row["external_id"], row["name"], row["email"])
