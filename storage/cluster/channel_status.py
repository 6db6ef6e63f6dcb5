"""Channel status by heartbeats: every process keeps how its chat connections are in rows, so that each can show all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog
from sqlalchemy import RowMapping, delete, select
from sqlalchemy.exc import SQLAlchemyError

from storage import clock
from storage.database.engine import Database
from storage.database.tables import channel_statuses
from storage.database.upsert import insert_into
from storage.records import ChannelState, new_id

log = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
"""How often the others' states are read, and how often changes are written at most."""
HEARTBEAT = timedelta(seconds=5)
"""How often a process says that it is still there."""
STALE_AFTER = timedelta(seconds=20)
"""A process that said nothing for so long is not there any more."""
FORGOTTEN_AFTER = timedelta(hours=1)
UNREACHABLE = (SQLAlchemyError, OSError, TimeoutError)
STATE_COLUMNS = ("is_on", "connected_since", "last_event_at", "last_error", "last_error_at")


class ChannelStatusTable:
    """Writes what this process says of its channels, and reads what the others say."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._me = new_id()

    async def write(self, states: Sequence[ChannelState]) -> None:
        """Keep this process's states, and forget processes that are long gone."""
        heartbeat_at = clock.now()
        async with self._database.write() as connection:
            await connection.execute(
                delete(channel_statuses).where(channel_statuses.c.heartbeat_at < heartbeat_at - FORGOTTEN_AFTER)
            )
            for state in states:
                values = {name: getattr(state, name) for name in STATE_COLUMNS} | {"heartbeat_at": heartbeat_at}
                row = insert_into(connection, channel_statuses).values(
                    process_id=self._me, channel=state.channel, **values
                )
                await connection.execute(
                    row.on_conflict_do_update(index_elements=["process_id", "channel"], set_=values)
                )

    async def read_others(self) -> tuple[ChannelState, ...]:
        """What the other processes that are still there say; several may speak of one channel."""
        query = select(channel_statuses).where(
            channel_statuses.c.process_id != self._me, channel_statuses.c.heartbeat_at > clock.now() - STALE_AFTER
        )
        async with self._database.read() as connection:
            return tuple(_state(row) for row in (await connection.execute(query)).mappings())

    async def leave(self) -> None:
        """This process ends: it has no connections any more."""
        async with self._database.write() as connection:
            await connection.execute(delete(channel_statuses).where(channel_statuses.c.process_id == self._me))

    async def follow(
        self, mine: Callable[[], tuple[ChannelState, ...]], hear: Callable[[tuple[ChannelState, ...]], None]
    ) -> None:
        """Tell what `mine` gives when it changes, and `hear` what the others say, until cancelled."""
        told: tuple[ChannelState, ...] = ()
        told_at = clock.now()
        while True:
            with suppress(*UNREACHABLE):  # the pages show the last known states meanwhile
                states = mine()
                if states != told or (states and clock.now() - told_at >= HEARTBEAT):
                    await self.write(states)
                    told, told_at = states, clock.now()
                hear(await self.read_others())
            await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def shared_channel_status(
    database: Database, mine: Callable[[], tuple[ChannelState, ...]], hear: Callable[[tuple[ChannelState, ...]], None]
) -> AsyncIterator[None]:
    """While the block lasts, the processes on this database know each other's states. SQLite has one process only."""
    if database.is_sqlite:
        yield
        return
    table = ChannelStatusTable(database)
    following = asyncio.create_task(table.follow(mine, hear), name="channel status")
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        with suppress(*UNREACHABLE):
            await table.leave()


def _state(row: RowMapping) -> ChannelState:
    return ChannelState(channel=row["channel"], **{name: row[name] for name in STATE_COLUMNS})
