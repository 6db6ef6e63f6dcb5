"""Unit of work: short transactions on one SQLAlchemy engine, SQLite's or PostgreSQL's."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import postgres, schema, sqlite
from storage.database.data_folder import create_private
from storage.errors import SettingsError, UnavailableError

THREADS = 4
"""For what may wait on SQLite: the one writer's commit, and long queries."""


class Database:
    """Reads and write transactions on SQLite or PostgreSQL.

    SQLite has one writer: write transactions take the lock when they begin, so that two of them wait for each
    other instead of failing half-way, and in this process they queue in order instead of polling the file.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self._threads = ThreadPoolExecutor(THREADS, "sqlite")
        self._engine = sqlite.open_engine(url, self._threads) if self.is_sqlite else postgres.open_engine(url)
        self._writer = self._engine.execution_options(immediate=True)
        self._reader = self._engine if self.is_sqlite else postgres.open_engine(url, **postgres.READS_ONLY)
        self._write_queue = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """For reading: one consistent moment on SQLite, on PostgreSQL the moment of each statement."""
        async with self._reader.connect() as connection, connection.begin() if self.is_sqlite else nullcontext():
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        async with self._write_queue or nullcontext(), self._writer.begin() as connection:
            yield connection

    @property
    def conninfo(self) -> str:
        """PostgreSQL's own form of the URL, for psycopg without SQLAlchemy."""
        return postgres.conninfo_of(self.url)

    async def check_schema(self) -> None:
        """Raise SchemaError unless the database is at this version's newest migration."""
        try:
            async with self._engine.connect() as connection:
                await connection.run_sync(schema.check)
        except DBAPIError as error:
            raise UnavailableError(f"the database does not answer: {_first_line(error)}") from error

    async def upgrade(self) -> None:
        """Migrate to the newest schema; one process at a time."""
        try:
            async with self._writer.begin() as connection:
                await connection.run_sync(schema.upgrade)
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
            Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            create_private(Path(path))
        except OSError as error:
            raise SettingsError(f"the data folder {Path(path).parent} cannot be created: {error.strerror}") from error
    return Database(url)


def _first_line(error: DBAPIError) -> str:
    return str(error.orig or error).strip().partition("\n")[0]
