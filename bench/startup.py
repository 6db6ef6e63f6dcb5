"""How soon `deskhand up` serves, and what it holds in memory then."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

import httpx
import psutil  # type: ignore[import-untyped]  # it has no types of its own
from sqlalchemy import select

from bench.sizes import Sizes
from storage.database.engine import open_database
from storage.database.tables import documents
from storage.records import DocumentStatus
from storage.settings import Settings

PATIENCE_SECONDS = 120
LOOK_SECONDS = 0.02
READY = 200


async def startup(settings: Settings, sizes: Sizes) -> dict[str, float]:
    """`start_seconds` and `idle_rss_mb`: the real command, its data folder filled by an earlier start."""
    async with _running(settings):
        await _documents_loaded(settings)
    seconds: list[float] = []
    memory: list[float] = []
    for _ in range(sizes.starts):
        async with _running(settings) as (process, taken):
            seconds.append(taken)
            await asyncio.sleep(sizes.idle_seconds)
            memory.append(_resident_mb(process.pid))
    return {"start_seconds": median(seconds), "idle_rss_mb": median(memory)}


@asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[tuple[subprocess.Popen[bytes], float]]:
    """The desk in a process of its own, and the seconds until it was ready."""
    port = _free_port()
    environ = {
        **os.environ,
        "DESKHAND_DATA_DIR": str(settings.data_dir),
        "DESKHAND_WEB__PORT": str(port),
        "DATABASE_URL": settings.database.url,
        "DESKHAND_CHROMA__URL": settings.chroma.url,
    }
    command = [sys.executable, "-m", "deskhand", "up"]
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603, ASYNC220 - our own command, started at once
    try:
        await _ready(process, f"http://127.0.0.1:{port}/health")
        yield process, time.perf_counter() - start
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, 20)
        process.kill()


async def _ready(process: subprocess.Popen[bytes], url: str) -> None:
    async with httpx.AsyncClient(timeout=5) as client, asyncio.timeout(PATIENCE_SECONDS):
        while process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).status_code == READY:
                    return
            await asyncio.sleep(LOOK_SECONDS)
    raise RuntimeError(f"deskhand up ended with code {process.returncode}")


async def _documents_loaded(settings: Settings) -> None:
    """The first start loads the demo's documents in the background; wait for that."""
    database = open_database(settings.database_url)
    loading = select(documents.c.id).where(documents.c.status == DocumentStatus.LOADING).limit(1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with database.read() as connection:
                if (await connection.execute(loading)).one_or_none() is None:
                    break
            await asyncio.sleep(0.5)
    await database.close()


def _resident_mb(pid: int) -> float:
    """Of the process and its children."""
    root = psutil.Process(pid)
    return float(sum(process.memory_info().rss for process in (root, *root.children(recursive=True))) / 1e6)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
