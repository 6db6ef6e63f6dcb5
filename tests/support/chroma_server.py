"""A real Chroma server in a process of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

COMMAND = Path(sys.executable).with_name("chroma")
PATIENCE = 60.0
"""Seconds until a start or a stop counts as hung; machines are shared."""

HANDED_OVER: "list[ChromaServer]" = []
"""Started here for others: a Popen object that goes before its process would complain."""


class ChromaServer:
    """`chroma run` on one folder and port: started, stopped, killed, frozen, and started again with what it kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers; RuntimeError with what it printed if it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder.with_name(f"{self.folder.name}.log")
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a command of this environment
                [COMMAND, "run", "--path", self.folder, "--host", "127.0.0.1", "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"chroma does not answer on port {self.port}:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._running().pid

    def answers(self) -> bool:
        """Whether it answers within a second."""
        try:
            return httpx.get(f"{self.url}/api/v2/heartbeat", timeout=1.0).is_success
        except httpx.HTTPError:
            return False

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Stop it, or kill it with SIGKILL; the folder and the port stay its own."""
        if self._process is None:
            return
        self._process.send_signal(sign)
        # A frozen process hears of a termination only when it goes on.
        self._process.send_signal(signal.SIGCONT)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(PATIENCE)
        self._process = None

    def freeze(self) -> None:
        """It hangs: connections open, nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the Chroma server is not started")
        return self._process


def free_port() -> int:
    """A port that nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def chroma_running(folder: Path) -> Iterator[ChromaServer]:
    """A server for this block, on a free port."""
    server = ChromaServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def start_chroma(folder: Path) -> str:
    """A server that other processes use and stop; gives its address."""
    server = ChromaServer(folder)
    server.start()
    HANDED_OVER.append(server)
    return f"{server.url}#{server.pid}"


def stop_chroma(_folder: Path, address: str) -> None:
    """End what `start_chroma` began, here or in another process."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(address.partition("#")[2]), signal.SIGTERM)
