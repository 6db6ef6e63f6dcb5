"""A simulated chat platform on a real socket, and the channel that speaks to it.

It shows what it is sent, as often as it is sent, finds a message by its client id, and goes wrong in every way that
chat platforms and the networks before them do.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal

import httpx
from aiohttp import web

from bot.errors import ChannelError
from storage.conversations.outbox import Outgoing
from storage.records import ChannelName, Conversation

Fault = Literal[
    "ok",
    "lose the answer",
    "drop after posting",
    "drop before posting",
    "503",
    "429",
    "403",
    "never answer",
    "post late",
    "wait for it",
]
LookFault = Literal["503", "drop", "never answer", "nonsense"]
LATE_SECONDS = 0.6


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
    look_faults: deque[LookFault] = field(default_factory=deque)
    posting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a post with the fault "wait for it" has come."""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    """Lets that post go on."""
    url: str = ""
    _late: set[asyncio.TimerHandle] = field(default_factory=set)

    def app(self) -> web.Application:
        """Its web interface: POST /posts, GET /posts/{client id}."""
        app = web.Application()
        app.add_routes([web.post("/posts", self._post), web.get("/posts/{client_id}", self._find)])
        return app

    async def _post(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.popleft() if self.faults else "ok"
        post = Post(**await request.json())
        if (answer := await self._before(fault, post, request)) is not None:
            return answer
        self.posts.append(post)
        match fault:
            case "lose the answer":
                return web.Response(status=504)
            case "drop after posting":
                return _dropped(request)
        return web.json_response({"id": str(len(self.posts))})

    async def _before(self, fault: Fault, post: Post, request: web.Request) -> web.Response | None:
        """The answer of a platform that does not post now."""
        match fault:
            case "503" | "403":
                return web.Response(status=int(fault))
            case "429":
                return web.Response(status=429, headers={"Retry-After": "0.1"})
            case "drop before posting":
                return _dropped(request)
            case "post late":
                self._late.add(asyncio.get_running_loop().call_later(LATE_SECONDS, self.posts.append, post))
                await _never()
            case "never answer":
                await _never()
            case "wait for it":
                self.posting.set()
                await self.go_on.wait()
        return None

    async def _find(self, request: web.Request) -> web.StreamResponse:
        match self.look_faults.popleft() if self.look_faults else "ok":
            case "503":
                return web.Response(status=503)
            case "drop":
                return _dropped(request)
            case "never answer":
                await _never()
            case "nonsense":
                return web.Response(text="<html>Welcome to the hotel</html>")
        wanted = request.match_info["client_id"]
        found = [str(number) for number, post in enumerate(self.posts, 1) if post.client_id == wanted]
        return web.json_response({"ids": found})

    def close(self) -> None:
        """What was still to come late does not come."""
        for handle in self._late:
            handle.cancel()


class PlatformChannel:
    """The channel of the simulated platform: not idempotent, so a later try looks the reply up first."""

    name: ChannelName = "slack"
    idempotent = False

    def __init__(self, url: str, timeout: float = 5.0, settles_after: float = 0.0) -> None:
        """`settles_after`: how long after a time-out the platform may still show the reply, in seconds."""
        self._url = url
        self._timeout = timeout
        self._settles_after = settles_after

    async def send(self, outgoing: Outgoing) -> str | None:
        """Post the reply unless an earlier try has."""
        async with httpx.AsyncClient(base_url=self._url, timeout=self._timeout) as client:
            try:
                if outgoing.attempts and (known := await self._find(client, outgoing.delivery_id)):
                    return known
                answer = await client.post("/posts", json=_body(outgoing))
            except httpx.TimeoutException as error:
                raise ChannelError("no answer in time", settles_after=self._settles_after) from error
            except httpx.TransportError as error:
                raise ChannelError("the platform does not answer") from error
        return str(_checked(answer).json()["id"])

    async def show_typing(self, conversation: Conversation, *, on: bool) -> None:
        """The platform has no such sign."""

    async def _find(self, client: httpx.AsyncClient, delivery_id: str) -> str | None:
        """The platform's id of the reply; the first one, should it show several."""
        found = _checked(await client.get(f"/posts/{delivery_id}")).json()["ids"]
        return found[0] if found else None


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    retry_after = answer.headers.get("Retry-After")
    raise ChannelError(
        f"the platform answered {answer.status_code}",
        permanent=answer.status_code == httpx.codes.FORBIDDEN,
        retry_after=float(retry_after) if retry_after else None,
    )


def _body(outgoing: Outgoing) -> dict[str, str]:
    return {"client_id": outgoing.delivery_id, "thread": outgoing.thread, "text": outgoing.message.text}


def _dropped(request: web.Request) -> web.Response:
    """Cut the connection instead of answering."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _never() -> None:
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def running_platform() -> AsyncIterator[Platform]:
    """The platform, listening on a free port of this machine."""
    platform = Platform()
    runner = web.AppRunner(platform.app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    platform.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield platform
    finally:
        platform.close()
        await runner.cleanup()
