"""Connections of their own to PostgreSQL, for what outlives a transaction: notices and leases."""

from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

BROKEN = (psycopg.Error, OSError, TimeoutError)
"""What a connection that is cut, or a server that is away, raises."""
ALIVE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A peer that vanished without a word is noticed in seconds (libpq's parameters), not after the two hours of TCP."""


def conninfo_of(url: str) -> str:
    """SQLAlchemy's address of a PostgreSQL database as libpq wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


async def connect(url: str, name: str) -> psycopg.AsyncConnection[Any]:
    """A connection in autocommit mode; `name` is what pg_stat_activity shows. Raises one of BROKEN."""
    conninfo = make_conninfo(conninfo_of(url), application_name=name, **ALIVE)
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
