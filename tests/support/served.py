"""The whole desk, served on a loopback port as `deskhand up` serves it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from bot.web.routes import web_routes
from commands.process.composition import Process
from commands.process.server import server_config
from storage.settings import Settings
from tests.support.whole_desk import open_desk
from workbench.site import build_site


@dataclass(frozen=True, slots=True)
class Served:
    """A running desk and where it listens."""

    process: Process
    base_url: str
    site: FastAPI


@asynccontextmanager
async def serve_desk(settings: Settings) -> AsyncIterator[Served]:
    """Open and serve a desk in this event loop."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    async with open_desk(settings) as process:
        site = build_site(process.workbench, [web_routes(process.store, process.intake, process.desk, settings)])
        server = uvicorn.Server(server_config(site, settings.web))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.01)
        try:
            yield Served(process, f"http://127.0.0.1:{listener.getsockname()[1]}", site)
        finally:
            server.should_exit = True
            await serving
