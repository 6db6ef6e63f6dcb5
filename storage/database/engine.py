"""The rows: one SQLAlchemy engine, short transactions, migrations."""

import asyncio
import select
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from storage.database import procrastinate_schema, sqlite
from storage.errors import SchemaError, SettingsError, UnavailableError

MIGRATIONS = Path(__file__).parent / "migrations"
THREADS = 4
"""For what may wait on SQLite: the one writer's commit, and long queries."""
CONNECTIONS = 6
"""To PostgreSQL, for writing; as many again for reading."""
READS_ONLY = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
"""PostgreSQL shows every statement the moment it runs at, inside a transaction or not: without one around it, a query
takes one round trip instead of three."""


class Database:
    """Reads and write transactions on SQLite or PostgreSQL.

    SQLite has one writer: write transactions take the lock when they begin, so that two of them wait for each
    other instead of failing half-way, and in this process they queue in order instead of polling the file.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self._threads = ThreadPoolExecutor(THREADS, "sqlite")
        self._engine = _sqlite_engine(url, self._threads) if self.is_sqlite else _postgres_engine(url)
        self._writer = self._engine.execution_options(immediate=True)
        self._reader = self._engine if self.is_sqlite else _postgres_engine(url, **READS_ONLY)
        self._turnstile = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """For reading: one consistent moment on SQLite, on PostgreSQL the moment of each statement."""
        async with self._reader.connect() as connection, connection.begin() if self.is_sqlite else nullcontext():
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        async with self._turnstile or nullcontext(), self._writer.begin() as connection:
            yield connection

    @property
    def conninfo(self) -> str:
        """PostgreSQL's own form of the URL, for psycopg without SQLAlchemy."""
        return self.url.replace("postgresql+psycopg://", "postgresql://", 1)

    async def check_schema(self) -> None:
        """Raise SchemaError unless the database is at this version's newest migration."""
        try:
            async with self._engine.connect() as connection:
                current = await connection.run_sync(_revision)
                queue_is_current = self.is_sqlite or await connection.run_sync(procrastinate_schema.is_current)
        except DBAPIError as error:
            raise UnavailableError(f"the database does not answer: {_first_line(error)}") from error
        scripts = ScriptDirectory(str(MIGRATIONS))
        newest = scripts.get_current_head()
        if current and current not in {script.revision for script in scripts.walk_revisions()}:
            raise SchemaError(
                f"the database is at revision {current}, which this version does not know: "
                "a newer version has used it; update Deskhand, or restore a backup from before"
            )
        if current != newest:
            raise SchemaError(
                f"the database is at revision {current or 'none'}, this version needs {newest}: "
                "run `deskhand db upgrade`"
            )
        if not queue_is_current:
            raise SchemaError("the queue's tables are older than this version needs: run `deskhand db upgrade`")

    async def upgrade(self) -> None:
        """Migrate to the newest schema; one process at a time."""
        try:
            async with self._writer.begin() as connection:
                await connection.run_sync(_upgrade)
        except DBAPIError as error:
            raise UnavailableError(f"the database cannot be migrated: {_first_line(error)}") from error

    async def close(self) -> None:
        """Give every connection back."""
        for engine in {self._engine, self._reader}:
            await engine.dispose()
        self._threads.shutdown()


def open_database(url: str) -> Database:
    """The database at this URL; creates the folder of a SQLite file. Raises SettingsError if that cannot be."""
    path = make_url(url).database
    if url.startswith("sqlite") and path and path != ":memory:":
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"the data folder {Path(path).parent} cannot be created: {error.strerror}") from error
    return Database(url)


def _postgres_engine(url: str, **options: Any) -> AsyncEngine:
    # One process keeps no more than these busy. None are opened on top of them: to open one takes longer than to wait.
    engine = create_async_engine(url, pool_size=CONNECTIONS, max_overflow=0, **options)

    @event.listens_for(engine.sync_engine, "checkout")
    def look(dbapi: Any, record: ConnectionPoolEntry, _: object) -> None:
        """Take no connection that was cut: the pool opens another one.

        Who cuts a connection says so on it: one with nothing to read is alive, and need not be asked.
        """
        if not _has_news(record.driver_connection):
            return
        try:
            engine.dialect.do_ping(dbapi)
        except psycopg.Error as error:
            raise DisconnectionError from error

    return engine


def _has_news(connection: Any) -> bool:
    """Whether the server has sent something that nobody asked for, such as its end."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _sqlite_engine(url: str, threads: Executor) -> AsyncEngine:
    sqlite.register()
    engine = create_async_engine(
        make_url(url).set(drivername=sqlite.DRIVER),
        pool_size=5,
        max_overflow=15,
        pool_use_lifo=True,
        connect_args={"threads": threads},
    )

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        dbapi: Any = connection.connection.dbapi_connection
        dbapi.begin(immediate=connection.get_execution_options().get("immediate", False))

    return engine


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    with _exclusive(connection):
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.dialect.name == "postgresql":
            procrastinate_schema.upgrade(connection)


@contextmanager
def _exclusive(connection: Connection) -> Iterator[None]:
    """Let two processes that start together migrate one after the other (SQLite's write lock does that alone)."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7215301)")
    yield


def _first_line(error: DBAPIError) -> str:
    return str(error.orig or error).strip().partition("\n")[0]
