"""Rate limits and faults of the simulated REST interface.

Source: https://docs.discord.com/developers/topics/rate-limits .
"""

import asyncio
import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.simulators.discord.answers import as_json

Kind = Literal["429", "429 global", "cloudflare", "500", "502", "503", "lose the request", "lose the answer", "slow"]

# The documentation names no numbers ("should not be hard coded"); these were seen on the live service.
MESSAGES, EDITS, OTHERS = (5, 5.0), (5, 5.0), (50, 1.0)
UNLIMITED = re.compile(r"/interactions/|/webhooks/|/gateway")
"""Interaction answers are not bound to the bot's global limit."""
MAJOR = re.compile(r"/(channels|guilds|webhooks)/(\d+)")


@dataclass
class Fault:
    """What goes wrong with the next request that matches."""

    kind: Kind
    path: str = r"/channels/\d+/messages$"
    method: str = "POST"
    seconds: float = 0.1
    """`retry_after` of a 429, or how slow."""


@dataclass
class Bucket:
    """One limit's window."""

    limit: int
    window: float
    remaining: int = 0
    resets: float = 0.0

    def take(self) -> float:
        """Use one request; gives the seconds to wait if there was none left, else 0."""
        now = time.time()
        if now >= self.resets:
            self.remaining, self.resets = self.limit, now + self.window
        if self.remaining == 0:
            return self.resets - now
        self.remaining -= 1
        return 0.0

    def headers(self, name: str) -> dict[str, str]:
        """The documented headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{self.resets:.3f}",
            "X-RateLimit-Reset-After": f"{max(0.0, self.resets - time.time()):.3f}",
            "X-RateLimit-Bucket": name,
        }


@dataclass
class Limits:
    """Counts requests per bucket and for the whole bot."""

    faults: list[Fault] = field(default_factory=list)
    rules: dict[str, tuple[int, float]] = field(default_factory=lambda: {"messages": MESSAGES, "edits": EDITS})
    """Bucket name to requests per window in seconds."""
    per_second: int = 50
    requests: list[str] = field(default_factory=list)
    """`METHOD path` of everything that was asked."""
    refused: int = 0
    """How many 429 were given."""
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _recent: deque[float] = field(default_factory=deque)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Around every request of the REST interface."""
        if request.path.startswith("/gateway-socket"):
            return await handler(request)
        self.requests.append(f"{request.method} {request.path}")
        if fault := self._next_fault(request):
            return await self._go_wrong(fault, request, handler)
        if not UNLIMITED.search(request.path) and (wait := self._global_wait()):
            return self._too_many(wait, "global")
        name = self._name(request)
        bucket = self._bucket(name, request)
        if wait := bucket.take():
            return self._too_many(wait, "user", bucket.headers(name))
        response = await handler(request)
        response.headers.update(bucket.headers(name))
        return response

    def _next_fault(self, request: web.Request) -> Fault | None:
        for fault in self.faults:
            if fault.method == request.method and re.search(fault.path, request.path):
                self.faults.remove(fault)
                return fault
        return None

    async def _go_wrong(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        match fault.kind:
            case "429":
                return self._too_many(fault.seconds, "shared")
            case "429 global":
                return self._too_many(fault.seconds, "global")
            case "cloudflare":
                # A ban by address is a web page: …/rate-limits#invalid-request-limit-aka-cloudflare-bans
                return web.Response(status=429, text="<html>error code: 1015</html>", content_type="text/html")
            case "500" | "502" | "503":
                return web.Response(status=int(fault.kind), text="upstream error")
            case "slow":
                await asyncio.sleep(fault.seconds)
                return await handler(request)
            case "lose the answer":
                await handler(request)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _too_many(self, wait: float, scope: str, headers: dict[str, str] | None = None) -> web.Response:
        self.refused += 1
        body = {"message": "You are being rate limited.", "retry_after": wait, "global": scope == "global"}
        extra = {"Retry-After": str(int(wait) + 1), "X-RateLimit-Scope": scope, "Via": "1.1 google"}
        if scope == "global":
            extra["X-RateLimit-Global"] = "true"
        return as_json(body, status=429, headers={**(headers or {}), **extra})

    def _global_wait(self) -> float:
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.per_second:
            return self._recent[0] + 1 - now
        self._recent.append(now)
        return 0.0

    def _name(self, request: web.Request) -> str:
        if re.search(r"/channels/\d+/messages$", request.path) and request.method == "POST":
            return "messages"
        if re.search(r"/channels/\d+/messages/\d+$", request.path) and request.method == "PATCH":
            return "edits"
        return f"{request.method}:{re.sub(r'[0-9]{10,}', '*', request.path)}"

    def _bucket(self, name: str, request: web.Request) -> Bucket:
        major = MAJOR.search(request.path)
        key = f"{name}:{major.group(2) if major else ''}"
        limit, window = self.rules.get(name, OTHERS)
        return self._buckets.setdefault(key, Bucket(limit, window))
