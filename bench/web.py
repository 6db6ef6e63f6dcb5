"""The customers' REST interface of a desk under test, served on a loopback port."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI

from bot.web.routes import web_routes
from commands.process.composition import Process
from commands.process.server import AnnouncingServer

WAIT_SECONDS = 30


@asynccontextmanager
async def serving(process: Process) -> AsyncIterator[str]:
    """The address of the customers' routes; the server runs in this loop, as `deskhand up` has it."""
    app = FastAPI()
    app.include_router(web_routes(process.store, process.intake, process.desk, process.settings))
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    listening = asyncio.Event()
    server = AnnouncingServer(config, listening.set)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await listening.wait()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def opened_chat(client: httpx.AsyncClient, workspace_id: str) -> Callable[[str], Awaitable[None]]:
    """A new conversation; call it with a text to write and get the reply."""
    opened = (await client.post("/api/v1/conversations", json={"workspace": workspace_id})).raise_for_status().json()
    path = f"/api/v1/conversations/{opened['id']}/messages"
    headers = {"Authorization": f"Bearer {opened['customer_token']}"}

    async def post(text: str) -> None:
        answer = await client.post(path, json={"text": text}, params={"wait": WAIT_SECONDS}, headers=headers)
        status = answer.raise_for_status().json()["status"]
        if status != "answered":
            raise RuntimeError(f"expected an answer, got {status}")

    return post
