"""Bearer tokens: signed claims (JWT) of members, of registered customers, and of whoever has one conversation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import jwt
from sqlalchemy import select

from storage import clock
from storage.accounts.accounts import PRESENT
from storage.accounts.members import member_of
from storage.accounts.sessions import OPEN, Device, LoginSessions
from storage.database.engine import Database
from storage.database.tables import accounts, members, sessions
from storage.errors import NotLoggedInError, PasswordChangeRequiredError
from storage.records import Customer, Member

ALGORITHM = "HS256"
CUSTOMER_LASTS = timedelta(days=30)
CONVERSATION_LASTS = timedelta(days=90)
TokenKind = Literal["member", "customer", "conversation"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a member's token stands for."""

    account_id: str
    session_id: str
    members: tuple[Member, ...]
    """The account's members, one per workspace, the active one first."""
    must_change_password: bool


class Tokens:
    """Issues and checks tokens.

    A member's names a session, whose row says whether the login still holds. The other two kinds last as long as they
    say.
    """

    def __init__(self, database: Database, secret: str, session_lasts: timedelta) -> None:
        self._database = database
        self._secret = secret
        self._sessions = LoginSessions(database, session_lasts)

    async def for_member(self, member: Member, device: Device | None = None) -> str:
        """A signed bearer token of a new session that acts as this member."""
        session_id, expires_at = await self._sessions.open(member, device or Device())
        return self._sign("member", {"sub": member.id, "session": session_id}, expires_at)

    async def member(self, token: str) -> Member:
        """The member a token acts as; NotLoggedInError if its session has ended."""
        return (await self.members(token))[0]

    async def members(self, token: str) -> list[Member]:
        """The members a token may act as, the active one first.

        Raises NotLoggedInError if the session has ended, PasswordChangeRequiredError before a new password is set.
        """
        principal = await self.principal(token)
        if principal.must_change_password:
            raise PasswordChangeRequiredError
        return list(principal.members)

    async def principal(self, token: str) -> Principal:
        """Who a member's token stands for, also while they must change their password. Raises NotLoggedInError."""
        session_id = str(self._claims(token, "member").get("session", ""))
        query = (
            select(members, sessions.c.member_id, sessions.c.last_seen_at, accounts.c.must_change_password)
            .join(accounts, accounts.c.id == members.c.account_id)
            .join(sessions, sessions.c.account_id == accounts.c.id)
            .where(sessions.c.id == session_id, OPEN, sessions.c.expires_at > clock.now(), PRESENT)
            .order_by(members.c.workspace_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        found = sorted(rows, key=lambda row: row["id"] != row["member_id"])
        if not found or found[0]["id"] != found[0]["member_id"]:
            raise NotLoggedInError("This login has ended; log in again.")
        active = found[0]
        await self._sessions.touch(session_id, active["last_seen_at"])
        choices = tuple(member_of(row) for row in found)
        return Principal(active["account_id"], session_id, choices, active["must_change_password"])

    def for_conversation(self, conversation_id: str, customer_id: str) -> str:
        """The anonymous customer's bearer for one conversation."""
        return self._sign(
            "conversation", {"sub": conversation_id, "customer": customer_id}, clock.now() + CONVERSATION_LASTS
        )

    def conversation(self, token: str) -> str:
        """The id of the conversation that a token opens."""
        return str(self._claims(token, "conversation")["sub"])

    def for_customer(self, customer: Customer) -> str:
        """A registered customer's bearer: it opens all of their conversations."""
        return self._sign(
            "customer", {"sub": customer.id, "workspace": customer.workspace_id}, clock.now() + CUSTOMER_LASTS
        )

    def customer(self, token: str) -> tuple[str, str]:
        """(workspace id, customer id) that a registered customer's token stands for."""
        claims = self._claims(token, "customer")
        return str(claims["workspace"]), str(claims["sub"])

    def kind(self, token: str) -> str:
        """A TokenKind, or what no version of this desk has issued. Raises NotLoggedInError."""
        return str(self._claims(token, None)["kind"])

    def _sign(self, kind: TokenKind, claims: dict[str, Any], expires_at: datetime) -> str:
        return jwt.encode({**claims, "kind": kind, "exp": expires_at}, self._secret, algorithm=ALGORITHM)

    def _claims(self, token: str, kind: TokenKind | None) -> dict[str, Any]:
        try:
            claims = jwt.decode(token, self._secret, algorithms=[ALGORITHM], options={"require": ["exp", "sub"]})
        except jwt.ExpiredSignatureError as error:
            raise NotLoggedInError("This login has ended; log in again.") from error
        except jwt.InvalidTokenError as error:
            raise NotLoggedInError("This is no valid login token.") from error
        if kind is not None and claims.get("kind") != kind:
            raise NotLoggedInError("This token is for something else.")
        return dict(claims)
