"""A simulated chat platform on a real socket, and the channel that speaks to it.

It posts what it is sent, each client id once if asked to look first, and can lose its answer, be slow, rate-limit or
fail, as chat platforms do.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.channel import ChannelError
from storage.outbox import Outgoing
from storage.records import ChannelName, Conversation

Fault = Literal["ok", "lose the answer", "503", "429", "403"]


@dataclass
class Post:
    """One message as the platform shows it."""

    client_id: str
    thread: str
    text: str


@dataclass
class Platform:
    """What the platform has shown, and how the next requests go wrong."""

    posts: list[Post] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    url: str = ""

    def app(self) -> Starlette:
        """Its web interface: POST /posts, GET /posts/{client id}."""
        return Starlette(
            routes=[
                Route("/posts", self._post, methods=["POST"]),
                Route("/posts/{client_id}", self._find, methods=["GET"]),
            ]
        )

    async def _post(self, request: Request) -> Response:
        fault = self.faults.popleft() if self.faults else "ok"
        if fault == "503":
            return Response(status_code=503)
        if fault == "429":
            return Response(status_code=429, headers={"Retry-After": "0.1"})
        if fault == "403":
            return Response(status_code=403)
        body = await request.json()
        self.posts.append(Post(body["client_id"], body["thread"], body["text"]))
        if fault == "lose the answer":
            return Response(status_code=504)
        return JSONResponse({"id": str(len(self.posts))})

    async def _find(self, request: Request) -> Response:
        found = [n for n, post in enumerate(self.posts, 1) if post.client_id == request.path_params["client_id"]]
        return JSONResponse({"id": str(found[0])}) if found else Response(status_code=404)


class PlatformChannel:
    """The channel of the simulated platform: not idempotent, so a later try looks the reply up first."""

    name: ChannelName = "slack"
    idempotent = False

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, outgoing: Outgoing) -> str | None:
        """Post the reply unless an earlier try has."""
        async with httpx.AsyncClient(base_url=self._url, timeout=5) as client:
            try:
                if outgoing.attempts and (known := await client.get(f"/posts/{outgoing.delivery_id}")).is_success:
                    return str(known.json()["id"])
                answer = await client.post("/posts", json=self._body(outgoing))
            except httpx.TransportError as error:
                raise ChannelError("the platform does not answer") from error
        if answer.is_success:
            return str(answer.json()["id"])
        retry_after = answer.headers.get("Retry-After")
        raise ChannelError(
            f"the platform answered {answer.status_code}",
            permanent=answer.status_code == httpx.codes.FORBIDDEN,
            retry_after=float(retry_after) if retry_after else None,
        )

    async def working(self, conversation: Conversation, *, on: bool) -> None:
        """The platform has no such sign."""

    def _body(self, outgoing: Outgoing) -> dict[str, str]:
        return {"client_id": outgoing.delivery_id, "thread": outgoing.thread, "text": outgoing.message.text}


@contextlib.asynccontextmanager
async def running_platform() -> AsyncIterator[Platform]:
    """The platform, listening on a free port of this machine."""
    platform = Platform()
    server = uvicorn.Server(uvicorn.Config(platform.app(), port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    platform.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield platform
    finally:
        server.should_exit = True
        await serving
