"""LangGraph's checkpoint tables in PostgreSQL: opened if they fit this version, migrated under an advisory lock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from psycopg import AsyncConnection
from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from storage.errors import SchemaError

LOCK_RETRY_SECONDS = 0.2
MIGRATION_LOCK = 7215303
"""The number of the advisory lock under which the tables are made."""


@asynccontextmanager
async def open_postgres(database_url: str, serde: SerializerProtocol) -> AsyncIterator[AsyncPostgresSaver]:
    """The store over a pool of its own. Raises SchemaError."""
    async with _pool(database_url) as pool:
        await _check_schema(pool)
        yield AsyncPostgresSaver(pool, serde=serde)


async def migrate_postgres(database_url: str) -> None:
    """Bring the tables up to date; many processes may try at once."""
    async with _pool(database_url) as pool, pool.connection() as connection:
        # Asked for again and again: one of the migrations waits for every statement that is under way elsewhere, so
        # another process may not wait for the lock inside a statement.
        while not await _try_lock(connection):  # noqa: ASYNC110 - another process gives no event
            await asyncio.sleep(LOCK_RETRY_SECONDS)
        await AsyncPostgresSaver(connection).setup()
        await connection.execute("SELECT pg_advisory_unlock(%s)", (MIGRATION_LOCK,))


async def _check_schema(pool: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
    """Raise SchemaError unless the tables are as this version of the library needs them."""
    async with pool.connection() as connection:
        try:
            found = await (await connection.execute("SELECT max(v) AS v FROM checkpoint_migrations")).fetchone()
        except UndefinedTable:
            found = None
    if found is None or found["v"] is None or found["v"] < len(AsyncPostgresSaver.MIGRATIONS) - 1:
        raise SchemaError("the checkpoints' tables are missing or older than this version: run `deskhand db upgrade`")


async def _try_lock(connection: AsyncConnection[Any]) -> bool:
    answer = await (await connection.execute("SELECT pg_try_advisory_lock(%s) AS done", (MIGRATION_LOCK,))).fetchone()
    return bool(answer and answer["done"])


def _pool(database_url: str) -> AsyncConnectionPool[AsyncConnection[Any]]:
    conninfo = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    options: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    return AsyncConnectionPool(conninfo, min_size=1, max_size=4, kwargs=options, open=False)
