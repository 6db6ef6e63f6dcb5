"""Bearer tokens: signed claims (JWT) of members, of registered customers, and of whoever has one conversation."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

import jwt
from sqlalchemy import select

from storage import clock
from storage.accounts.members import PRESENT, member_of
from storage.database.engine import Database
from storage.database.tables import members
from storage.errors import NotLoggedInError
from storage.records import Customer, Member

ALGORITHM = "HS256"
CUSTOMER_LASTS = timedelta(days=30)
CONVERSATION_LASTS = timedelta(days=90)
TokenKind = Literal["member", "customer", "conversation"]


class Tokens:
    """Issues and checks tokens.

    A member's names the version that the member's row had: a new password or a removal counts the row's up, which
    ends every token of before. The other two kinds last as long as they say.
    """

    def __init__(self, database: Database, secret: str, session_lasts: timedelta) -> None:
        self._database = database
        self._secret = secret
        self._session_lasts = session_lasts

    async def for_member(self, member: Member, others: Sequence[Member] = ()) -> str:
        """A signed bearer token for a member.

        `others` are the same person's members in other workspaces, as `Members.log_in` gave them: each was opened by
        the password, so the person may switch to them. An equal e-mail alone proves nothing.
        """
        ids = {member.id, *(other.id for other in others)}
        query = select(members.c.id, members.c.token_version).where(members.c.id.in_(ids))
        async with self._database.read() as connection:
            versions = {str(row.id): int(row.token_version) for row in await connection.execute(query)}
        return self._sign("member", {"sub": member.id, "versions": versions}, self._session_lasts)

    async def member(self, token: str) -> Member:
        """The member a token was issued to; NotLoggedInError if it is not valid any more."""
        return (await self.members(token))[0]

    async def members(self, token: str) -> list[Member]:
        """The members a token may act as, the active one first; NotLoggedInError if that one's login has ended."""
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

    def for_conversation(self, conversation_id: str, customer_id: str) -> str:
        """The anonymous customer's bearer for one conversation."""
        return self._sign("conversation", {"sub": conversation_id, "customer": customer_id}, CONVERSATION_LASTS)

    def conversation(self, token: str) -> str:
        """The id of the conversation that a token opens."""
        return str(self._claims(token, "conversation")["sub"])

    def for_customer(self, customer: Customer) -> str:
        """A registered customer's bearer: it opens all of their conversations."""
        return self._sign("customer", {"sub": customer.id, "workspace": customer.workspace_id}, CUSTOMER_LASTS)

    def customer(self, token: str) -> tuple[str, str]:
        """(workspace id, customer id) that a registered customer's token stands for."""
        claims = self._claims(token, "customer")
        return str(claims["workspace"]), str(claims["sub"])

    def kind(self, token: str) -> str:
        """A TokenKind, or what no version of this desk has issued. Raises NotLoggedInError."""
        return str(self._claims(token, None)["kind"])

    def _sign(self, kind: TokenKind, claims: dict[str, Any], lasts: timedelta) -> str:
        return jwt.encode({**claims, "kind": kind, "exp": clock.now() + lasts}, self._secret, algorithm=ALGORITHM)

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
