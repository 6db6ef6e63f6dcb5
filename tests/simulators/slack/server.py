"""The simulated Slack on a real socket: Web API over HTTP, Socket Mode over a WebSocket, files, response URLs."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.simulators.slack.methods import SlackMethods, SlackRefusalError
from tests.simulators.slack.world import Fault, SlackWorld


class SlackServer:
    """Serves a world, and sends envelopes to who is connected (docs.slack.dev/apis/events-api/using-socket-mode)."""

    def __init__(self, world: SlackWorld) -> None:
        self.world = world
        self.url = ""
        self.methods = SlackMethods(world, "")
        self.sockets: list[WebSocket] = []
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.connections = 0
        self._news = asyncio.Condition()

    def app(self) -> Starlette:
        """Slack's web interface."""
        return Starlette(
            routes=[
                Route("/api/{method}", self._api, methods=["POST", "GET"]),
                Route("/files/{name}", self._file, methods=["GET"]),
                Route("/respond/{name}", self._respond, methods=["POST"]),
                WebSocketRoute("/socket", self._socket),
            ]
        )

    async def send(self, envelope: dict[str, Any], seconds: float = 60.0) -> dict[str, Any]:
        """Send an envelope over one of the sockets; gives the payload of its acknowledgement."""
        await self.connected()
        await self.sockets[-1].send_text(json.dumps(envelope))
        async with self._news, asyncio.timeout(seconds):
            await self._news.wait_for(lambda: envelope["envelope_id"] in self.acknowledged)
        return self.acknowledged[envelope["envelope_id"]]

    async def send_only(self, envelope: dict[str, Any]) -> None:
        """Send an envelope and do not wait."""
        await self.connected()
        await self.sockets[-1].send_text(json.dumps(envelope))

    async def connected(self, seconds: float = 60.0) -> None:
        """Wait until somebody is connected."""
        async with self._news, asyncio.timeout(seconds):
            await self._news.wait_for(lambda: bool(self.sockets))

    async def renew(self) -> None:
        """Ask every client to connect anew, as Slack does every few hours."""
        for socket in list(self.sockets):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket.send_text(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))

    async def drop(self) -> None:
        """Cut every connection."""
        cut, self.sockets[:] = list(self.sockets), []
        for socket in cut:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket.close(1001)

    async def _api(self, request: Request) -> Response:
        method = request.path_params["method"]
        args, token = await _arguments(request)
        await self._while_held(method)
        faults = self.world.faults[method]
        fault: Fault | None = faults.popleft() if faults else None
        if fault is not None and fault != "lose the answer":
            return _refusal(fault)
        if method == "chat.postMessage" and not self.world.may_post(args["channel"]):
            self.world.too_fast += 1
            return _too_many(1)
        try:
            answer = self.methods.call(method, args, token)
        except SlackRefusalError as error:
            return JSONResponse({"ok": False, "error": str(error)})
        if fault == "lose the answer":
            return Response("gateway timeout", status_code=504)
        return JSONResponse(answer)

    async def _file(self, request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer xoxb-"):
            return Response("<html>log in</html>", media_type="text/html")
        await self._while_held(request.path_params["name"])
        return Response(self.world.files[request.path_params["name"]], media_type="text/plain")

    async def _while_held(self, name: str) -> None:
        while name in self.world.held:  # noqa: ASYNC110 - what a test holds, it releases
            await asyncio.sleep(0.02)

    async def _respond(self, request: Request) -> Response:
        self.world.responses.append(await request.json())
        return Response("ok")

    async def _socket(self, socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(json.dumps({"type": "hello", "num_connections": 1}))
        async with self._news:
            self.sockets.append(socket)
            self.connections += 1
            self._news.notify_all()
        try:
            while True:
                answer = json.loads(await socket.receive_text())
                async with self._news:
                    self.acknowledged[answer["envelope_id"]] = answer.get("payload") or {}
                    self._news.notify_all()
        except (WebSocketDisconnect, RuntimeError):
            if socket in self.sockets:
                self.sockets.remove(socket)


def _refusal(fault: Fault) -> Response:
    match fault:
        case "429":
            return _too_many(1)
        case "503":
            return Response("upstream away", status_code=503)
        case _:
            return JSONResponse({"ok": False, "error": fault})


def _too_many(seconds: int) -> Response:
    return JSONResponse({"ok": False, "error": "ratelimited"}, status_code=429, headers={"Retry-After": str(seconds)})


async def _arguments(request: Request) -> tuple[dict[str, Any], str]:
    """(arguments, token): from a JSON body or a form, whose values may be JSON."""
    body = await request.body()
    args: dict[str, Any] = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        args |= json.loads(body or b"{}")
    else:
        args |= {key: _value(text) for key, text in parse_qsl(body.decode(), keep_blank_values=True)}
    token = request.headers.get("authorization", "").removeprefix("Bearer ") or str(args.get("token", ""))
    return args, token


def _value(text: str) -> Any:
    return json.loads(text) if text[:1] in "[{" and text else text


@contextlib.asynccontextmanager
async def running_slack() -> AsyncIterator[SlackServer]:
    """Slack, listening on a free port of this machine."""
    slack = SlackServer(SlackWorld())
    config = uvicorn.Config(
        slack.app(), port=0, log_config=None, lifespan="off", ws="websockets-sansio", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    slack.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    slack.methods.url = slack.url
    try:
        yield slack
    finally:
        server.should_exit = True
        await serving
