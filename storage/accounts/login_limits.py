"""Rate limiting of logins by fixed windows in rows, shared by all processes: per network, e-mail and known device."""

import math
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

from sqlalchemy import case, delete, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.accounts.devices import Devices
from storage.database.engine import Database
from storage.database.tables import login_attempts
from storage.database.upsert import insert_into
from storage.errors import TooManyAttemptsError

WINDOW = timedelta(minutes=5)
EMAIL_FACTOR = 5
"""So many networks must use up their attempts before an e-mail has none left for devices that nobody knows."""
IPV6_HOST_BITS = 64
"""Whoever has an IPv6 address has its whole /64."""


class LoginLimits:
    """One for each kind of login: who fails as a customer locks no member out.

    An attempt counts before its password is hashed: attempts side by side would else all be looked at before the
    first of them has failed, and each costs some 50 ms of a processor. A device where the login succeeded before has
    attempts of its own: nobody elsewhere, and nobody behind the same address, can use them up.
    """

    def __init__(self, database: Database, devices: Devices, attempts: int, kind: str) -> None:
        self._database = database
        self._devices = devices
        self._attempts = attempts
        self._kind = kind

    async def admit(self, address: str, email: str, device: str = "") -> None:
        """Count an attempt; `device` is the browser's cookie. Raises TooManyAttemptsError when there is none left."""
        if known := self._devices.recognise(device, email):
            await self._count({self._key("device", known): self._attempts})
            return
        await self._count(
            {
                self._key("network", network_of(address)): self._attempts,
                self._key("email", _normalised(email)): self._attempts * EMAIL_FACTOR,
            }
        )

    async def succeeded(self, address: str, email: str, device: str = "") -> str:
        """The attempt was no failure, and counts no more. Gives the cookie of a device that is known from now on."""
        known = self._devices.recognise(device, email)
        started_anew = self._key("device", known) if known else self._key("email", _normalised(email))
        async with self._database.write() as connection:
            await connection.execute(delete(login_attempts).where(login_attempts.c.key == started_anew))
            if not known:
                mine = login_attempts.c.key == self._key("network", network_of(address))
                less = login_attempts.c.attempts - 1
                await connection.execute(
                    update(login_attempts).where(mine, login_attempts.c.attempts > 0).values(attempts=less)
                )
        return device if known else self._devices.remember(email)

    async def admit_registration(self, address: str) -> None:
        """Count a new login, which costs a hash whether it succeeds or not. Raises TooManyAttemptsError."""
        await self._count({self._key("registration", network_of(address)): self._attempts})

    async def _count(self, limits: dict[str, int]) -> None:
        """Every key counts, even where another one has nothing left."""
        now, waits = clock.now(), []
        async with self._database.write() as connection:
            for key, limit in limits.items():
                attempts, ends_at = await _hit(connection, key, now)
                if attempts > limit:
                    waits.append(max(1, math.ceil((ends_at - now).total_seconds())))
        if waits:
            raise TooManyAttemptsError(max(waits))

    def _key(self, what: str, of: str) -> str:
        """Of one length, and nobody's address to be read."""
        return sha256(f"{self._kind} {what} {of}".encode()).hexdigest()


async def _hit(connection: AsyncConnection, key: str, now: datetime) -> tuple[int, datetime]:
    """Count one attempt; gives how many there were in this window, and its end.

    A window that ends further ahead than a window lasts was opened before the clock was set back: it is over.
    """
    over = or_(login_attempts.c.ends_at <= now, login_attempts.c.ends_at > now + WINDOW)
    row = insert_into(connection, login_attempts).values(key=key, attempts=1, ends_at=now + WINDOW)
    counted = row.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "attempts": case((over, 1), else_=login_attempts.c.attempts + 1),
            "ends_at": case((over, now + WINDOW), else_=login_attempts.c.ends_at),
        },
    ).returning(login_attempts.c.attempts, login_attempts.c.ends_at)
    attempts, ends_at = (await connection.execute(counted)).one()
    if attempts == 1:
        await connection.execute(delete(login_attempts).where(login_attempts.c.ends_at < now - WINDOW))
    return attempts, ends_at


def network_of(address: str) -> str:
    """Whom an address stands for: itself, and its /64 in IPv6."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    return str(ip.ipv4_mapped or IPv6Address(int(ip) >> IPV6_HOST_BITS << IPV6_HOST_BITS))


def _normalised(email: str) -> str:
    return email.strip().lower()
