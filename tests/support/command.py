"""The `deskhand` command as an engineer uses it: a real process, its output and its exit code."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 120
"""Seconds until a start counts as hung; machines are shared."""


def environment_for(data_dir: Path, **more: str) -> dict[str, str]:
    """This process's environment without its Deskhand settings, for a desk in this folder on a free port."""
    ours = ("DESKHAND_", "DATABASE_URL")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return {
        **inherited,
        "DESKHAND_DATA_DIR": str(data_dir),
        "DESKHAND_WEB__PORT": str(free_port()),
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "200",
        **more,
    }


def free_port() -> int:
    """A port that nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def deskhand(environment: dict[str, str], *words: str, typed: str = "") -> tuple[int, str, str]:
    """Run a command to its end: exit code, output, errors."""
    process = await start(environment, *words)
    output, errors = await asyncio.wait_for(process.communicate(typed.encode()), PATIENCE)
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def start(environment: dict[str, str], *words: str) -> asyncio.subprocess.Process:
    """Start a command."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "deskhand.py"),
        *words,
        cwd=ROOT,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(environment: dict[str, str], *words: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A desk that has said it is ready, and what it said."""
    process = await start(environment, *words)
    assert process.stdout
    said = ""
    while "Ctrl-C stops" not in said:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        assert line, f"{said}\n{(await process.stderr.read()).decode() if process.stderr else ''}"
        said += line.decode()
    try:
        yield process, said
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), PATIENCE)


def one_line(errors: str) -> str:
    """What a command said on its way out: exactly one line."""
    lines = errors.strip().splitlines()
    assert len(lines) == 1, errors
    return lines[0]
