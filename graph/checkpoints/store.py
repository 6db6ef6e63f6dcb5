"""The checkpoint store that holds only what waits for a person.

LangGraph writes a checkpoint when any run ends, also one that nobody will ever resume. Here a run's checkpoint stays
in memory; the desk keeps it durably when the run stopped at the interrupt, and lets it go otherwise: a turn that is
answered at once costs the store nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from psycopg import AsyncConnection
from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from graph.checkpoints.in_memory import InMemoryCheckpoints
from graph.state import TurnInput
from storage.errors import SchemaError
from storage.records import Line, conversation, enums, knowledge, review, turn, workspace
from storage.settings import Settings

AGAIN_SECONDS = 0.2
MIGRATING = 7215303
"""The number of the advisory lock under which the tables are made."""
CHECKPOINTED = (
    Line,
    TurnInput,
    *(
        item
        for module in (conversation, enums, knowledge, review, turn, workspace)
        for item in vars(module).values()
        if isinstance(item, type) and item.__module__ == module.__name__
    ),
)
"""The types that may be read back from a checkpoint; anything else in it is refused."""


def config_of(turn_id: str) -> RunnableConfig:
    """The LangGraph thread of a turn."""
    return {"configurable": {"thread_id": turn_id, "checkpoint_ns": ""}}


class InterruptCheckpointer(BaseCheckpointSaver[str]):
    """Runs in memory, waits durably."""

    def __init__(self, durable: BaseCheckpointSaver[str]) -> None:
        super().__init__(serde=durable.serde)
        self.durable = durable
        self._memory = InMemoryCheckpoints()
        self._fresh: set[str] = set()
        self._reviewed: dict[str, str] = {}

    def start(self, turn_id: str) -> None:
        """A run from the beginning: what a cut-off run of the same turn left in the store is not read."""
        self._memory.forget(turn_id)
        self._fresh.add(turn_id)

    def resume(self, turn_id: str, checkpoint_id: str | None) -> None:
        """A run from the checkpoint that the review is about: another worker's run may have left a newer one."""
        self._memory.forget(turn_id)
        if checkpoint_id is not None:
            self._reviewed[turn_id] = checkpoint_id

    def end(self, turn_id: str) -> None:
        """The run is over; its memory is let go."""
        self._memory.forget(turn_id)
        self._fresh.discard(turn_id)
        self._reviewed.pop(turn_id, None)

    async def keep(self, turn_id: str) -> str:
        """Write the run's last checkpoint, with its interrupt, to the durable store; gives its id."""
        waiting = self._memory.latest(turn_id)
        if waiting is None:
            raise LookupError(turn_id)
        versions = waiting.checkpoint["channel_versions"]
        kept = await self.durable.aput(config_of(turn_id), waiting.checkpoint, waiting.metadata, versions)
        writes: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
        for task_id, channel, value in waiting.pending_writes or ():
            writes[task_id].append((channel, value))
        for task_id, values in writes.items():
            await self.durable.aput_writes(kept, values, task_id)
        return str(waiting.checkpoint["id"])

    async def forget(self, turn_ids: Sequence[str]) -> None:
        """Delete the threads of turns that have ended."""
        for turn_id in turn_ids:
            await self.durable.adelete_thread(turn_id)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The run's own checkpoint if it has one, else the durable one of a waiting turn."""
        turn_id = config["configurable"]["thread_id"]
        found = self._memory.latest(turn_id)
        if found is not None or turn_id in self._fresh:
            return found
        return await self.durable.aget_tuple(self._at_review(config, turn_id))

    def _at_review(self, config: RunnableConfig, turn_id: str) -> RunnableConfig:
        """Not told to LangGraph, which would take it for time travel and run the nodes before it again."""
        if turn_id not in self._reviewed:
            return config
        return {**config, "configurable": {**config["configurable"], "checkpoint_id": self._reviewed[turn_id]}}

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,  # noqa: ARG002 - LangGraph's signature
    ) -> RunnableConfig:
        """Into memory, with the values of all channels."""
        return self._memory.put(config, checkpoint, metadata)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",  # noqa: ARG002 - LangGraph's signature
    ) -> None:
        """Into memory."""
        self._memory.put_writes(config, writes, task_id)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's signature
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """What waits durably."""
        async for item in self.durable.alist(config, filter=filter, before=before, limit=limit):
            yield item

    async def adelete_thread(self, thread_id: str) -> None:
        """From memory and from the store."""
        self.end(thread_id)
        await self.durable.adelete_thread(thread_id)

    def get_next_version(self, current: str | None, channel: None) -> str:
        """As the durable store counts."""
        return self.durable.get_next_version(current, channel)

    def list(self, *args: Any, **kwargs: Any) -> Iterator[CheckpointTuple]:
        """The desk is asynchronous throughout."""
        return self.durable.list(*args, **kwargs)


@asynccontextmanager
async def open_checkpoints(settings: Settings, *, migrate: bool = True) -> AsyncIterator[InterruptCheckpointer]:
    """The store beside the rows: a file in the data folder, or tables in the same PostgreSQL, made if `migrate`."""
    if migrate:
        await migrate_checkpoints(settings)
    serde = JsonPlusSerializer(allowed_msgpack_modules=CHECKPOINTED)
    if settings.database_url.startswith("postgresql"):
        async with _pool(settings) as pool:
            await _check_schema(pool)
            yield InterruptCheckpointer(AsyncPostgresSaver(pool, serde=serde))
        return
    path = Path(settings.data_dir) / "checkpoints.db"
    async with aiosqlite.connect(path) as connection:
        sqlite = AsyncSqliteSaver(connection, serde=serde)
        await sqlite.setup()
        yield InterruptCheckpointer(sqlite)


async def migrate_checkpoints(settings: Settings) -> None:
    """Bring LangGraph's tables in PostgreSQL up to date; many processes may try at once."""
    if not settings.database_url.startswith("postgresql"):
        return
    async with _pool(settings) as pool, pool.connection() as connection:
        # Asked for again and again: one of the migrations waits for every statement that is under way elsewhere, so
        # another process may not wait for the lock inside a statement.
        while not await _locked(connection):  # noqa: ASYNC110 - another process gives no event
            await asyncio.sleep(AGAIN_SECONDS)
        await AsyncPostgresSaver(connection).setup()
        await connection.execute("SELECT pg_advisory_unlock(%s)", (MIGRATING,))


async def _check_schema(pool: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
    """Raise SchemaError unless LangGraph's tables are as this version of the library needs them."""
    async with pool.connection() as connection:
        try:
            found = await (await connection.execute("SELECT max(v) AS v FROM checkpoint_migrations")).fetchone()
        except UndefinedTable:
            found = None
    if found is None or found["v"] is None or found["v"] < len(AsyncPostgresSaver.MIGRATIONS) - 1:
        raise SchemaError("the checkpoints' tables are missing or older than this version: run `deskhand db upgrade`")


async def _locked(connection: AsyncConnection[Any]) -> bool:
    answer = await (await connection.execute("SELECT pg_try_advisory_lock(%s) AS done", (MIGRATING,))).fetchone()
    return bool(answer and answer["done"])


def _pool(settings: Settings) -> AsyncConnectionPool[AsyncConnection[Any]]:
    conninfo = settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    options: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    return AsyncConnectionPool(conninfo, min_size=1, max_size=4, kwargs=options, open=False)
