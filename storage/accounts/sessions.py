"""Server-side sessions: a login is a row, so that ending it ends it in every process at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.engine import Database
from storage.database.tables import members, sessions
from storage.errors import NotFoundError, NotLoggedInError
from storage.records import Member, new_id

SEEN_EVERY = timedelta(minutes=5)
"""How old `last_seen_at` may be: a request writes nothing but once in so long."""
OPEN = sessions.c.ended_at.is_(None)


@dataclass(frozen=True, slots=True)
class Device:
    """Where a login came from, as shown in the list of sessions."""

    user_agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class LoginSession:
    """One open login."""

    id: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str
    address: str


class LoginSessions:
    """Opens, lists and ends the logins of accounts."""

    def __init__(self, database: Database, lasts: timedelta) -> None:
        self._database = database
        self._lasts = lasts

    async def open(self, member: Member, device: Device) -> tuple[str, datetime]:
        """A new session that acts as this member: its id and its end."""
        began, session_id = clock.now(), new_id()
        mine = select(members.c.account_id).where(members.c.id == member.id)
        async with self._database.write() as connection:
            account_id = await connection.scalar(mine)
            if account_id is None:
                raise NotLoggedInError
            values = {"account_id": account_id, "member_id": member.id, "created_at": began, "last_seen_at": began}
            shown = {"user_agent": device.user_agent[:200], "address": device.address[:64]}
            expires_at = began + self._lasts
            await connection.execute(insert(sessions).values(id=session_id, expires_at=expires_at, **values, **shown))
        return session_id, expires_at

    async def touch(self, session_id: str, last_seen_at: datetime) -> None:
        """Keep that the session is used, once in a while; after a step of the clock, too."""
        if abs(clock.now() - last_seen_at) < SEEN_EVERY:
            return
        async with self._database.write() as connection:
            await connection.execute(
                update(sessions).where(sessions.c.id == session_id).values(last_seen_at=clock.now())
            )

    async def switch(self, session_id: str, member_id: str) -> None:
        """Act as another member of the same account, which the caller has checked."""
        async with self._database.write() as connection:
            await connection.execute(update(sessions).where(sessions.c.id == session_id).values(member_id=member_id))

    async def all(self, account_id: str) -> list[LoginSession]:
        """The account's open logins, the latest first."""
        query = select(sessions).where(sessions.c.account_id == account_id, OPEN, sessions.c.expires_at > clock.now())
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(sessions.c.created_at.desc()))
            return [
                LoginSession(row.id, row.created_at, row.last_seen_at, row.expires_at, row.user_agent, row.address)
                for row in rows
            ]

    async def end(self, account_id: str, session_id: str) -> None:
        """End one login; NotFoundError if the account has none of this id open."""
        mine = (sessions.c.id == session_id) & (sessions.c.account_id == account_id)
        async with self._database.write() as connection:
            if not await end_sessions(connection, mine):
                raise NotFoundError("There is no such session.")

    async def end_all(self, account_id: str) -> None:
        """Log out everywhere."""
        async with self._database.write() as connection:
            await end_sessions(connection, sessions.c.account_id == account_id)


async def end_sessions(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    """End open sessions in the transaction that is the reason for it; gives how many."""
    ended = await connection.execute(update(sessions).where(which, OPEN).values(ended_at=clock.now()))
    return ended.rowcount
