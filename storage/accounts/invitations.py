"""Invitations: single-use, expiring links by which somebody founds a workspace of their own."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.engine import Database
from storage.database.tables import invitations
from storage.errors import InvalidError, RegistrationClosedError

MAX_LIFETIME = timedelta(days=30)
NOT_VALID = "This invitation has been used or has expired; ask whoever runs this desk for another one."


class Invitations:
    """Makes invitations; only a hash of each is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self, lifetime: timedelta) -> tuple[str, datetime]:
        """A token that founds one workspace, and until when. InvalidError for a lifetime that makes no sense."""
        if not timedelta() < lifetime <= MAX_LIFETIME:
            raise InvalidError(f"An invitation is good for up to {MAX_LIFETIME.days} days.")
        token, now = secrets.token_urlsafe(24), clock.now()
        values = {"token_hash": _hash(token), "created_at": now, "expires_at": now + lifetime}
        async with self._database.write() as connection:
            await connection.execute(delete(invitations).where(invitations.c.expires_at < now - MAX_LIFETIME))
            await connection.execute(insert(invitations).values(values))
        return token, now + lifetime


async def redeem(connection: AsyncConnection, token: str) -> None:
    """Use it up in the transaction of what it is for. Raises RegistrationClosedError."""
    now = clock.now()
    # A clock that was set back makes no link last longer than it was made for.
    is_valid = invitations.c.used_at.is_(None) & invitations.c.expires_at.between(now, now + MAX_LIFETIME)
    used = await connection.execute(
        update(invitations).where(invitations.c.token_hash == _hash(token), is_valid).values(used_at=now)
    )
    if not used.rowcount:
        raise RegistrationClosedError(NOT_VALID)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
