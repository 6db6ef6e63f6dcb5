"""A desk in several real processes: `deskhand web`, `worker` and `bot` on one PostgreSQL and one Chroma server."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.chroma_server import free_port
from tests.support.shared_model import lend_model
from tests.support.waiting import until

PARTS = ("web", "worker", "bot")
ROOT = Path(__file__).parents[2]
PATIENCE = 300.0
"""Seconds until a start, a stop or an answer counts as hung; machines are shared."""


class Child:
    """One `deskhand` process; what it says goes to files."""

    def __init__(self, environment: dict[str, str], folder: Path, *words: str) -> None:
        self.words = words
        self._said, self._errors = folder / "said", folder / "errors"
        folder.mkdir(parents=True)
        with self._said.open("wb") as said, self._errors.open("wb") as errors:
            self.process = subprocess.Popen(  # noqa: S603 - this project's own command
                [sys.executable, ROOT / "deskhand.py", *words],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=errors,
            )

    @property
    def said(self) -> str:
        """What it printed so far."""
        return self._said.read_text(encoding="utf-8")

    @property
    def errors(self) -> str:
        """What it logged so far."""
        return self._errors.read_text(encoding="utf-8")

    async def ready(self) -> None:
        """Return when it says that it is ready; AssertionError with its log if it ends instead."""

        async def look() -> bool:
            assert self.process.poll() is None, f"{self.words} ended:\n{self.errors}"
            return "is ready" in self.said

        await until(look, PATIENCE)

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    async def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return await self.ended()


@dataclass
class Cluster:
    """The processes of one desk and the environment that they share."""

    environment: dict[str, str]
    folder: Path
    children: list[Child] = field(default_factory=list)
    base_url: str = ""

    def start(self, *words: str, **more: str) -> Child:
        """Start a process, a part of a desk with a port of its own; it is not ready yet."""
        port = free_port()
        own = {f"DESKHAND_{words[0].upper()}__PORT": str(port)} if words[0] in PARTS else {}
        folder = self.folder / f"{words[0]}-{len(self.children)}"
        child = Child({**self.environment, **own, **more}, folder, *words)
        if words[0] == "web":
            self.base_url = f"http://127.0.0.1:{port}"
        self.children.append(child)
        return child

    async def started(self, *words: str, **more: str) -> Child:
        """Start a process and wait until it is ready."""
        child = self.start(*words, **more)
        await child.ready()
        return child

    def client(self) -> httpx.AsyncClient:
        """Somebody at the web process's door."""
        return httpx.AsyncClient(base_url=self.base_url, timeout=PATIENCE)


def environment_of(folder: Path, **own: str) -> dict[str, str]:
    """The environment of a desk's processes, without this machine's own settings; the model's file is there already."""
    if not (folder / "data").exists():
        lend_model(folder / "data")
    ours = ("DESKHAND_", "DATABASE_URL", "SLACK_", "DISCORD_", "OPENAI_")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return {
        **inherited,
        "DESKHAND_DATA_DIR": str(folder / "data"),
        "DESKHAND_CONVERSATION__GATHER_SECONDS": "0",
        "DESKHAND_WEB__MESSAGES_PER_MINUTE": "0",
        "DESKHAND_WEB__CONVERSATIONS_PER_MINUTE": "0",
        "DESKHAND_LIMITS__CUSTOMER_PER_MINUTE": "0",
        "DESKHAND_LIMITS__CUSTOMER_PER_HOUR": "0",
        "DESKHAND_LIMITS__WORKSPACE_PER_MINUTE": "0",
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "300",
        **own,
    }


@asynccontextmanager
async def cluster(folder: Path, **own: str) -> AsyncIterator[Cluster]:
    """A desk whose processes all end with the block."""
    desk = Cluster(environment_of(folder, **own), folder)
    try:
        yield desk
    finally:
        for child in desk.children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGKILL)
        for child in desk.children:
            child.process.wait(PATIENCE)
