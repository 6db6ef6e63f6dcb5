"""The two columns of DESIGN section 5 as real processes that can be killed and started again."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from graph.checkpoints import migrate_checkpoints
from storage.database import open_database
from storage.settings import Settings
from storage.store import migrate_database
from tests.chroma_server import ChromaServer, free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0
"""Seconds until a start counts as hung; machines are shared."""
SECRET = "a long random text that every process of this test shares"


@dataclass
class Part:
    """One process of the desk."""

    command: str
    port: int
    environment: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    starts: int = 0

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        self.starts += 1
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(ROOT / "deskhand.py"),
                *self.command.split(),
                cwd=ROOT,
                env=dict(self.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        async with asyncio.timeout(PATIENCE):
            while not await self.is_ready():
                if self.process.returncode is not None:
                    raise RuntimeError(f"{self.command} ended with {self.process.returncode}: {self.last_words()}")
                await asyncio.sleep(0.1)

    async def is_ready(self) -> bool:
        """Whether it says so."""
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=5)).is_success
        except httpx.HTTPError:
            return False

    async def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """End it, as a power cut does or by asking; it does not come back by itself."""
        if self.process is None:
            return
        if self.process.returncode is None:
            self.process.send_signal(sign)
        await self.process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


@dataclass
class StormyDesk:
    """A desk of several processes, and what it runs on."""

    name: str
    url: str
    """Where its HTTP interface is."""
    settings: Settings
    mortal: list[Part]
    """What may be killed at any moment."""
    others: list[Part] = field(default_factory=list)
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
        await asyncio.gather(*(part.kill(signal.SIGTERM) for part in (*self.mortal, *self.others)))

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
    environment = _environment(folder, port, model_url)
    part = Part("up --no-demo", port, environment, folder / "up.log")
    settings = Settings.model_validate({"data_dir": folder / "data"})
    async with _running(StormyDesk("embedded", f"http://127.0.0.1:{port}", settings, [part])) as desk:
        yield desk


@asynccontextmanager
async def scaled_desk(
    folder: Path, model_url: str, database_url: str, chroma: ChromaServer, workers: int = 2
) -> AsyncIterator[StormyDesk]:
    """`deskhand web` and several `deskhand worker` on one PostgreSQL and one Chroma server."""
    shared = {"DATABASE_URL": database_url, "DESKHAND_CHROMA__URL": chroma.url, "DESKHAND_SECRET": SECRET}
    port = free_port()
    web = Part("web", port, {**_environment(folder, port, model_url), **shared}, folder / "web.log")
    mortal = []
    for number in range(workers):
        own = free_port()
        environment = {**_environment(folder, port, model_url), **shared, "DESKHAND_WORKER__PORT": str(own)}
        mortal.append(Part("worker", own, environment, folder / f"worker-{number}.log"))
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


def _environment(folder: Path, port: int, model_url: str) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("DESKHAND_", "DATABASE_URL"))}
    return {
        **inherited,
        "PYTHONUNBUFFERED": "1",
        "DESKHAND_DATA_DIR": str(folder / "data"),
        "DESKHAND_WEB__PORT": str(port),
        "DESKHAND_WEB__MESSAGES_PER_MINUTE": "0",
        "DESKHAND_WEB__CONVERSATIONS_PER_MINUTE": "0",
        "DESKHAND_LIMITS__CUSTOMER_PER_MINUTE": "0",
        "DESKHAND_LIMITS__CUSTOMER_PER_HOUR": "0",
        "DESKHAND_LIMITS__WORKSPACE_PER_MINUTE": "0",
        "DESKHAND_CONVERSATION__GATHER_SECONDS": "0.2",
        "DESKHAND_JOBS__RETRY_SECONDS": "0.2",
        "DESKHAND_MODEL__PROVIDER": "openai",
        "DESKHAND_MODEL__NAME": "simulated",
        "DESKHAND_MODEL__BASE_URL": model_url,
        "DESKHAND_MODEL__TIMEOUT_SECONDS": "2",
        "DESKHAND_MODEL__RETRIES": "1",
        "OPENAI_API_KEY": "none is needed",
    }
