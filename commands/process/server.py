"""Graceful shutdown of an HTTP server: in order at the first signal, at once at the second."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from commands.process.http_protocol import BoundedHttpProtocol, HttpConfig, HttpDeadlines
from storage.errors import SettingsError
from storage.settings import WebSettings

log = structlog.get_logger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)
OPEN_REQUESTS_SECONDS = 5
"""How long requests that are being answered may take after the end was asked for."""


def server_config(app: FastAPI, web: WebSettings) -> uvicorn.Config:
    """How every process of the desk serves HTTP."""
    config = HttpConfig(
        app,
        http=BoundedHttpProtocol,
        # Nothing here speaks WebSocket, whose library has deadlines of its own.
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="on",
        limit_concurrency=web.connections,
        # uvicorn believes whoever is on this machine, if it is not told otherwise.
        proxy_headers=bool(web.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in web.trusted_proxies],
        timeout_graceful_shutdown=OPEN_REQUESTS_SECONDS,
    )
    config.deadlines = HttpDeadlines(web.header_seconds, web.body_seconds)
    return config


class AnnouncingServer(uvicorn.Server):
    """A server that says when it is ready, and leaves signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say so."""
        await super().startup(sockets)
        self._announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The library would end the process by the same signal after the server: nothing else could end in order."""
        yield


class GracefulShutdown:
    """What SIGTERM and SIGINT do to this process."""

    def __init__(self, task: "asyncio.Task[object]") -> None:
        self._task = task
        self._server: AnnouncingServer | None = None
        self._on_stop: Callable[[], None] | None = None
        self.is_requested = False

    def on_signal(self, number: int) -> None:
        """The first signal ends the server, or the start if it is still on its way; another one ends everything."""
        if self.is_requested:
            os._exit(128 + number)
        self.is_requested = True
        log.info("stopping", signal=signal.Signals(number).name)
        if self._server is None:
            self._task.cancel()
            return
        if self._on_stop is not None:
            self._on_stop()
        self._server.handle_exit(number, None)

    async def serve(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        *,
        announce: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        """Serve until a signal comes; `on_stop` is called then, before the open requests are waited for."""
        self._server, self._on_stop = AnnouncingServer(config, announce), on_stop
        await self._server.serve(sockets=[listener])


@contextmanager
def graceful_shutdown() -> Iterator[GracefulShutdown]:
    """While the block lasts, signals are heard; a start that was cut off by one ends the block quietly."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - inside a coroutine there always is one
    shutdown = GracefulShutdown(task)
    for number in SIGNALS:
        loop.add_signal_handler(number, shutdown.on_signal, number)
    try:
        yield shutdown
    except asyncio.CancelledError:
        if not shutdown.is_requested:
            raise
        task.uncancel()
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def bind(host: str, port: int, key: str) -> socket.socket:
    """The listening socket, taken before anything slow; SettingsError says what to do if the port is taken.

    `key` is the setting of the port, such as `web.port`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's delay off: 40 ms per request otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        variable = f"DESKHAND_{key.replace('.', '__').upper()}"
        raise SettingsError(
            f"port {port} on {host} cannot be used ({error.strerror}): stop what uses it, "
            f"or choose another with `{key}` or {variable}"
        ) from error
    return listener
