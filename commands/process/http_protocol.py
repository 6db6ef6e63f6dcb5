"""HTTP deadlines and header limits: a request that does not come, or brings too much, is answered and cut.

uvicorn bounds neither: a client that sends a byte a minute would hold its connection for ever (Slowloris).
"""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_HEADER_BYTES = 32 * 1024
"""The address and all headers together; nginx takes as much by default."""
MAX_HEADERS = 100
SLOWEST_BYTES_PER_SECOND = 10_000
"""A body that comes faster has as much time as it needs: 20 MB by a slow line are no attack."""


@dataclass(frozen=True, slots=True)
class HttpDeadlines:
    """How long a client may take, in seconds."""

    headers: float
    body: float
    """For the first bytes; each 10,000 of them are given another second."""


class HttpConfig(uvicorn.Config):
    """uvicorn's configuration, and the deadlines of its connections."""

    deadlines: HttpDeadlines


class Refusal(NamedTuple):
    """Why a request is cut."""

    status: HTTPStatus
    kind: str
    detail: str


TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too-large", "The address and headers of this request are too long."
)
TOO_SLOW = Refusal(HTTPStatus.REQUEST_TIMEOUT, "too-slow", "The request did not come in time.")


class HeadersTooLargeError(Exception):
    """More headers than any route can use."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol; one timer at a time watches the headers or the body that are on their way."""

    config: HttpConfig
    _timer: asyncio.TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0
    _body_bytes = 0
    _body_began = 0.0
    _refusal: Refusal | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """The first request has to begin."""
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the headers are complete: the parser would keep a header of any length."""
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._await_headers()
        if self._in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_headers and self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
            self._refuse(TOO_LARGE)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        if self._timer is None:
            self._await_headers()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One more header."""
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            self._refusal = TOO_LARGE
            raise HeadersTooLargeError

    def on_headers_complete(self) -> None:
        """The body is on its way from here on."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEADER_BYTES:
            self._refusal = TOO_LARGE
            raise HeadersTooLargeError
        self._stop_timer()
        self._in_headers, self._body_bytes, self._body_began = False, 0, self.loop.time()
        self._watch_body()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Each piece gives the next one time."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here; how long its answer takes is up to us."""
        self._stop_timer()
        self._in_headers, self._header_bytes = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Say what was wrong, where it is known better than by the parser."""
        if self._refusal is None:
            super().send_400_response(msg)
        else:
            self._refuse(self._refusal)

    def _await_headers(self) -> None:
        self._header_bytes = 0
        self._timer = self.loop.call_later(self.config.deadlines.headers, self._refuse, TOO_SLOW)

    def _watch_body(self) -> None:
        allowed = self.config.deadlines.body + self._body_bytes / SLOWEST_BYTES_PER_SECOND
        left = self._body_began + allowed - self.loop.time()
        if left <= 0:
            self._refuse(TOO_SLOW)
        else:
            self._timer = self.loop.call_later(left, self._watch_body)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, refusal: Refusal) -> None:
        """Answer, unless an answer has begun or the client has sent nothing at all, and close."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        is_answering = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if self._header_bytes and not is_answering:
            self.transport.write(_problem(refusal))
        self.transport.close()


def _problem(refusal: Refusal) -> bytes:
    document = {
        "type": refusal.kind,
        "title": refusal.status.phrase,
        "status": refusal.status.value,
        "detail": refusal.detail,
    }
    content = json.dumps(document).encode()
    headers = f"content-type: application/problem+json\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
    return STATUS_LINE[refusal.status] + headers.encode() + content
