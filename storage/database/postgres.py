"""PostgreSQL's connections: a pool that takes none which was cut, and single ones for what outlives a transaction."""

import select
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

CONNECTIONS = 6
"""Of one engine; one process has an engine for writing and one for reading."""
READS_ONLY: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
"""PostgreSQL shows every statement the moment it runs at, inside a transaction or not: without one around it, a query
takes one round trip instead of three."""
BROKEN = (psycopg.Error, OSError, TimeoutError)
"""What a connection that is cut, or a server that is away, raises."""
KEEPALIVE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A peer that vanished without a word is noticed in seconds (libpq's parameters), not after the two hours of TCP."""


def open_engine(url: str, **options: Any) -> AsyncEngine:
    """A pool for short transactions."""
    # One process keeps no more than these busy. None are opened on top of them: to open one takes longer than to wait.
    engine = create_async_engine(url, pool_size=CONNECTIONS, max_overflow=0, **options)

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_if_cut(dbapi: Any, record: ConnectionPoolEntry, _: object) -> None:
        """Take no connection that was cut: the pool opens another one.

        Who cuts a connection says so on it: one with nothing to read is alive, and need not be asked.
        """
        if not _has_input(record.driver_connection):
            return
        try:
            engine.dialect.do_ping(dbapi)
        except psycopg.Error as error:
            raise DisconnectionError from error

    return engine


def _has_input(connection: Any) -> bool:
    """Whether the server has sent something that nobody asked for, such as its end."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def conninfo_of(url: str) -> str:
    """SQLAlchemy's address of a PostgreSQL database as libpq wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


async def connect(url: str, name: str) -> psycopg.AsyncConnection[Any]:
    """A connection of its own in autocommit mode, for notices and leases; `name` is what pg_stat_activity shows.

    Raises one of BROKEN.
    """
    conninfo = make_conninfo(conninfo_of(url), application_name=name, **KEEPALIVE)
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
