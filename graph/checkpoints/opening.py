"""Factory: the durable store beside the rows, a file in the data folder or tables in the same PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from graph.checkpoints.checkpointer import InterruptCheckpointer
from graph.checkpoints.postgres import migrate_postgres, open_postgres
from graph.state import TurnInput
from storage.database.data_folder import create_private
from storage.records import conversation, enums, knowledge, review, turn, workspace
from storage.settings import Settings

RECORD_MODULES = (conversation, enums, knowledge, review, turn, workspace)
ALLOWED_TYPES = (
    TurnInput,
    *(
        item
        for module in RECORD_MODULES
        for item in vars(module).values()
        if isinstance(item, type) and item.__module__ == module.__name__
    ),
)
"""The types that may be read back from a checkpoint; anything else in it is refused."""


@asynccontextmanager
async def open_checkpoints(settings: Settings, *, migrate: bool = True) -> AsyncIterator[InterruptCheckpointer]:
    """The checkpointer over the durable store, whose tables are made if `migrate`."""
    serde = JsonPlusSerializer(allowed_msgpack_modules=ALLOWED_TYPES)
    if settings.database_url.startswith("postgresql"):
        if migrate:
            await migrate_postgres(settings.database_url)
        async with open_postgres(settings.database_url, serde) as postgres:
            yield InterruptCheckpointer(postgres)
        return
    path = Path(settings.data_dir) / "checkpoints.db"
    create_private(path)
    async with aiosqlite.connect(path) as connection:
        sqlite = AsyncSqliteSaver(connection, serde=serde)
        await sqlite.setup()
        yield InterruptCheckpointer(sqlite)


async def migrate_checkpoints(settings: Settings) -> None:
    """Bring the durable store up to date; in a file it is brought when it is opened."""
    if settings.database_url.startswith("postgresql"):
        await migrate_postgres(settings.database_url)
