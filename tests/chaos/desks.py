"""The two columns of DESIGN section 5 as real processes that can be killed and started again."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from graph.checkpoints.opening import migrate_checkpoints
from storage.database.engine import open_database
from storage.opening import migrate_database
from storage.settings import Settings
from tests.support.chroma_server import ChromaServer, free_port
from tests.support.processes import Child, environment_of

SECRET = "a long random text that every process of this test shares"


@dataclass
class ProcessRole:
    """One process of the desk, started again and again."""

    words: tuple[str, ...]
    environment: dict[str, str]
    folder: Path
    child: Child | None = None
    starts: int = 0

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        self.starts += 1
        self.child = Child(self.environment, self.folder / str(self.starts), *self.words)
        await self.child.ready()

    async def end(self, sign: signal.Signals) -> None:
        """End it, as a power cut does or by asking; it does not come back by itself."""
        if self.child is not None:
            await self.child.stop(sign)


@dataclass
class StormyDesk:
    """A desk of several processes, and what it runs on."""

    name: str
    url: str
    """Where its HTTP interface is."""
    settings: Settings
    mortal: list[ProcessRole]
    """What may be killed at any moment."""
    others: list[ProcessRole] = field(default_factory=list)
    chroma: ChromaServer | None = None

    @property
    def database_url(self) -> str:
        """The rows, for the judge."""
        return self.settings.database_url

    async def start(self) -> None:
        """Migrate, and start everything."""
        await migrate_database(self.settings)
        await migrate_checkpoints(self.settings)
        await asyncio.gather(*(part.start() for part in (*self.others, *self.mortal)))

    async def stop(self) -> None:
        """Ask every process to end."""
        await asyncio.gather(*(part.end(signal.SIGTERM) for part in (*self.mortal, *self.others)))

    async def cut_connections(self) -> int:
        """Have the database server end every connection to this database; gives how many."""
        if open_database(self.database_url).is_sqlite:
            return 0
        url = self.database_url.replace("postgresql+psycopg://", "postgresql://")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            found = await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return len(await found.fetchall())


@asynccontextmanager
async def embedded_desk(folder: Path, model_url: str) -> AsyncIterator[StormyDesk]:
    """`deskhand up` on SQLite and an embedded Chroma."""
    port = free_port()
    environment = environment_of(folder, **_settings(model_url), DESKHAND_WEB__PORT=str(port))
    part = ProcessRole(("up", "--no-demo"), environment, folder / "up")
    settings = Settings.model_validate({"data_dir": folder / "data"})
    async with _running(StormyDesk("embedded", f"http://127.0.0.1:{port}", settings, [part])) as desk:
        yield desk


@asynccontextmanager
async def scaled_desk(
    folder: Path, model_url: str, database_url: str, chroma: ChromaServer, workers: int = 2
) -> AsyncIterator[StormyDesk]:
    """`deskhand web` and several `deskhand worker` on one PostgreSQL and one Chroma server."""
    port = free_port()
    shared = {
        **_settings(model_url),
        "DATABASE_URL": database_url,
        "DESKHAND_CHROMA__URL": chroma.url,
        "DESKHAND_SECRET": SECRET,
    }
    web = ProcessRole(("web",), environment_of(folder, **shared, DESKHAND_WEB__PORT=str(port)), folder / "web")
    mortal = [
        ProcessRole(
            ("worker",),
            environment_of(folder, **shared, DESKHAND_WORKER__PORT=str(free_port())),
            folder / f"worker-{number}",
        )
        for number in range(workers)
    ]
    settings = Settings.model_validate({"data_dir": folder / "data", "database": {"url": database_url}})
    desk = StormyDesk("postgres", f"http://127.0.0.1:{port}", settings, mortal, [web], chroma)
    async with _running(desk):
        yield desk


@asynccontextmanager
async def _running(desk: StormyDesk) -> AsyncIterator[StormyDesk]:
    try:
        await desk.start()
        yield desk
    finally:
        await desk.stop()


def _settings(model_url: str) -> dict[str, str]:
    return {
        "DESKHAND_CONVERSATION__GATHER_SECONDS": "0.2",
        "DESKHAND_JOBS__RETRY_SECONDS": "0.2",
        "DESKHAND_MODEL__PROVIDER": "openai",
        "DESKHAND_MODEL__NAME": "simulated",
        "DESKHAND_MODEL__BASE_URL": model_url,
        "DESKHAND_MODEL__TIMEOUT_SECONDS": "2",
        "DESKHAND_MODEL__RETRIES": "1",
        "OPENAI_API_KEY": "none is needed",
    }
