"""SQLite driver on the event loop: a statement takes less time than handing it to a thread; what may wait uses one.

Statements that find their rows by an index take some 20 microseconds, a thread's round trip takes some 100, and
SQLAlchemy's own driver needs four of these per statement. So statements run where they are called, except what may
take long: the commit, which waits for the disk, a lock that another process holds, many rows written at once, and a
query that turns out to be long (it is stopped after INLINE_STEPS and runs again in a thread; in a transaction it
sees the same moment).
"""

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Pool, event, make_url
from sqlalchemy.connectors.asyncio import (
    AsyncAdapt_dbapi_connection,
    AsyncAdapt_dbapi_cursor,
    AsyncAdapt_terminate,
)
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import await_only

DRIVER = "sqlite+deskhand"
INLINE_STEPS = 20_000
"""Of SQLite's virtual machine: one to two milliseconds. A query that needs more is stopped and runs in a thread."""
INLINE = ("INSERT", "UPDATE", "PRAGMA")
BUSY_MILLISECONDS = 30_000
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000")


def open_engine(url: str, threads: Executor) -> AsyncEngine:
    """A pool over one file; write transactions have the execution option `immediate`."""
    registry.register("sqlite.deskhand", __name__, "SQLiteDialect")
    engine = create_async_engine(
        make_url(url).set(drivername=DRIVER),
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


class SQLiteCursor(AsyncAdapt_dbapi_cursor):
    """A cursor that holds every row when `execute` returns."""

    __slots__ = ()
    _awaitable_cursor_close = False
    _adapt_connection: "SQLiteConnection"

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _execute_async(self, operation: str, parameters: Any) -> Any:
        work = partial(self._run, operation, () if parameters is None else parameters)
        operation = operation.lstrip()
        query = operation.startswith("SELECT")
        await self._adapt_connection.perform(work, inline=query or operation.startswith(INLINE), query=query)

    async def _executemany_async(self, operation: str, seq_of_parameters: Sequence[Any]) -> Any:
        await self._adapt_connection.perform(partial(self._cursor.executemany, operation, seq_of_parameters))

    def _run(self, operation: str, parameters: Any) -> None:
        cursor: Any = self._cursor
        cursor.execute(operation, parameters)
        if cursor.description:
            self._rows = deque(cursor.fetchall())


class SQLiteConnection(AsyncAdapt_terminate, AsyncAdapt_dbapi_connection):
    """A connection that is used by one task at a time."""

    __slots__ = ("_interrupting", "_threads", "_writing")
    _cursor_cls = SQLiteCursor
    _connection: Any

    def __init__(self, dbapi: Any, connection: sqlite3.Connection, threads: Executor) -> None:
        super().__init__(dbapi, connection)  # type: ignore[arg-type]  # a plain connection: only our cursor uses it
        self._threads = threads
        self._interrupting = False
        self._writing = False
        connection.set_progress_handler(lambda: self._interrupting, INLINE_STEPS)

    def begin(self, *, immediate: bool) -> None:
        """Start a transaction; an immediate one waits for the write lock."""
        self._writing = immediate
        work = partial(self._connection.execute, "BEGIN IMMEDIATE" if immediate else "BEGIN")
        await_only(self.perform(work, inline=True))

    def commit(self) -> None:
        """Durable when this returns."""
        if self._writing and self._connection.in_transaction:
            await_only(self._in_thread(self._connection.commit))
        else:
            self._connection.commit()

    def rollback(self) -> None:
        """Undo what was not committed."""
        self._connection.rollback()

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def create_function(self, *args: Any, **options: Any) -> None:
        """As sqlite3 does; SQLAlchemy adds its own functions to every connection."""
        self._connection.create_function(*args, **options)

    async def perform(self, work: Callable[[], Any], *, inline: bool = False, query: bool = False) -> None:
        """Run here if `inline`, else in a thread; a query that proves long, or what meets a lock, goes there too."""
        if inline:
            self._interrupting = query
            try:
                work()
            except sqlite3.OperationalError as error:
                if not _is_busy_or_interrupted(error):
                    raise
            else:
                return
            finally:
                self._interrupting = False
        await self._in_thread(partial(self._waiting_for_locks, work))

    def _waiting_for_locks(self, work: Callable[[], Any]) -> None:
        self._connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        try:
            work()
        finally:
            self._connection.execute("PRAGMA busy_timeout=0")

    async def _in_thread(self, work: Callable[[], Any]) -> None:
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            # The connection is free for the next one only when the thread is done with it.
            self._connection.interrupt()
            while not running.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([running])
            running.exception()  # "interrupted": nobody else asks for it
            raise

    async def _terminate_graceful_close(self) -> None:
        self._connection.close()

    def _terminate_force_close(self) -> None:
        self._connection.close()


class SQLiteModule:
    """The module `sqlite3` as SQLAlchemy wants to see it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)

    def connect(self, path: str, *, threads: Executor, **options: Any) -> SQLiteConnection:
        """Open the file."""
        connection = sqlite3.connect(
            path, timeout=BUSY_MILLISECONDS / 1000, isolation_level=None, **{**options, "check_same_thread": False}
        )
        for pragma in (*PRAGMAS, "busy_timeout=0"):
            connection.execute(f"PRAGMA {pragma}")
        return SQLiteConnection(self, connection, threads)


class SQLiteDialect(SQLiteDialect_pysqlite):
    """SQLAlchemy's SQLite with this driver."""

    driver = "deskhand"
    is_async = True
    has_terminate = True
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """The driver."""
        return SQLiteModule()

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:  # noqa: ARG003 - SQLAlchemy's signature
        """Connections in memory would each be a database of its own, so that this driver is for files."""
        return AsyncAdaptedQueuePool

    def do_terminate(self, dbapi_connection: Any) -> None:
        """Close without waiting."""
        dbapi_connection.terminate()


def _is_busy_or_interrupted(error: sqlite3.OperationalError) -> bool:
    """Stopped by the progress handler, or locked by another process."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_INTERRUPT)
