"""A simulated OpenAI-compatible server on a loopback port: chat completions and embeddings, scripted per request.

Written from https://platform.openai.com/docs/api-reference/chat and its neighbour `/embeddings`. What the
real endpoint refuses is refused here too: a strict schema that is not strict, JSON mode without the word JSON.
"""

import asyncio
import base64
import hashlib
import json
import math
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from storage.settings import Settings
from tests.simulators.openai.behaviours import Behaviour, good, status
from tests.simulators.openai.call import Call

START_SECONDS = 10.0
DIMENSIONS = 64


class OpenAISimulator:
    """The server, in a thread of its own: use it `with` or `async with`, in any event loop.

    Each chat request takes the next scripted behaviour, or `default` when the script is over. `calls` holds every
    request in order. `key` is the only accepted API key; None accepts all.
    """

    def __init__(self, *, default: Behaviour = good, key: str | None = None) -> None:
        self.default = default
        self.key = key
        self.calls: list[Call] = []
        self._script: deque[Behaviour] = deque()
        # With the protocol named, asyncio sets TCP_NODELAY; without it every second answer is 40 ms late.
        self._socket = socket.socket(proto=socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        routes = [
            Route("/v1/chat/completions", _Endpoint(self._chat)),
            Route("/v1/embeddings", _Endpoint(self._embed)),
            Route("/v1/models", self._models),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes),
            http=_Connection,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    @property
    def base_url(self) -> str:
        """For `model.base_url` and `embeddings.base_url`."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def settings(self, **model: object) -> Settings:
        """Settings whose chat model is this server, with a short deadline; `model` overrides keys of the section."""
        section = {"provider": "openai", "name": "simulated", "base_url": self.base_url, "timeout_seconds": 2.0}
        return Settings.model_validate({"model": {**section, **model}})

    @property
    def chats(self) -> list[Call]:
        """The recorded chat requests."""
        return [call for call in self.calls if call.path.endswith("/chat/completions")]

    def script(self, *behaviours: Behaviour) -> None:
        """What the next chat requests get, one each."""
        self._script.extend(behaviours)

    def reset(self, default: Behaviour = good) -> None:
        """Forget calls and script."""
        self.calls.clear()
        self._script.clear()
        self.default, self.key = default, None

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.002)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        self._socket.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.__exit__)

    def _chat(self, call: Call) -> ASGIApp:
        refused = self._refused(call) or _badly_asked(call)
        if refused:
            return refused(call)
        return (self._script.popleft() if self._script else self.default)(call)

    def _embed(self, call: Call) -> ASGIApp:
        refused = self._refused(call)
        return refused(call) if refused else _embeddings(call.body)

    def _refused(self, call: Call) -> Behaviour | None:
        if self.key is not None and call.headers.get("authorization") != f"Bearer {self.key}":
            return status(401, error_code="invalid_api_key", message="Incorrect API key provided")
        return None

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "simulated", "object": "model", "owned_by": "tests"}]})


class _Endpoint:
    """Records the request and lets `respond` make the response."""

    def __init__(self, respond: Any) -> None:
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        call = Call(
            path=request.url.path,
            headers=dict(request.headers),
            body=await request.json(),
            transport=scope["extensions"]["deskhand.transport"],
        )
        self._respond.__self__.calls.append(call)
        await self._respond(call)(scope, receive, send)


class _Connection(H11Protocol):
    """Hands the socket to the application, so that a behaviour can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            extended = {**scope, "extensions": {**scope.get("extensions", {}), "deskhand.transport": transport}}
            await application(extended, receive, send)

        self.app = with_transport


def _badly_asked(call: Call) -> Behaviour | None:
    """What OpenAI itself answers 400 to: https://platform.openai.com/docs/guides/structured-outputs ."""
    if call.body.get("stream"):
        return status(400, message="This simulator does not stream")
    if call.method == "json_mode" and "json" not in call.prompt.lower():
        return status(400, message="'messages' must contain the word 'json' in some form")
    if call.method == "json_schema" and not _is_strict(call.schema):
        return status(400, message="The schema is not strict")
    return None


def _is_strict(form: Any) -> bool:
    """Every object closed, every field required, no reference beside other keys, no string lengths."""
    if isinstance(form, list):
        return all(_is_strict(inner) for inner in form)
    if not isinstance(form, dict):
        return True
    if form.keys() & {"minLength", "maxLength", "default"} or ("$ref" in form and len(form) > 1):
        return False
    closed = form.get("additionalProperties") is False and set(form.get("required", ())) == set(
        form.get("properties", {})
    )
    return (form.get("type") != "object" or closed) and all(_is_strict(inner) for inner in form.values())


def _embeddings(body: dict[str, Any]) -> Response:
    texts: Sequence[str] = [body["input"]] if isinstance(body["input"], str) else body["input"]
    as_base64 = body.get("encoding_format") == "base64"
    vectors = (_vector(str(text), body.get("dimensions") or DIMENSIONS) for text in texts)
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if as_base64 else vector}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": len(json.dumps(texts)), "total_tokens": len(json.dumps(texts))}
    return JSONResponse({"object": "list", "data": data, "model": body["model"], "usage": usage})


def _vector(text: str, dimensions: int) -> list[float]:
    """Hashed words, of length 1: texts that share words are near each other."""
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()) or [text]:
        vector[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % dimensions] += 1.0
    length = math.hypot(*vector)
    return [value / length for value in vector]


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
