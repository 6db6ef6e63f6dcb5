"""What no route can use is refused in one place: half characters, endless headers, requests that do not come."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.intruders import Scene
from tests.support.served import Served, serve_desk
from tests.support.settings import settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")
HALF = "\ud83d"
"""The first half of a surrogate pair."""


@asynccontextmanager
async def impatient_desk(folder: Path, **web: Any) -> AsyncIterator[Served]:
    async with serve_desk(settings_for(folder, web={"header_seconds": 0.5, "body_seconds": 0.5, **web})) as served:
        yield served


async def raw(served: Served, *parts: bytes, pause: float = 0.0) -> bytes:
    """Everything that the desk answers until it closes the connection."""
    address = urlsplit(served.base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    reading = asyncio.create_task(_read_all(reader))
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
    try:
        return await asyncio.wait_for(reading, 10)
    finally:
        writer.close()


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    """What came before the end, even if that was a reset: the desk does not read on what it has refused."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(65_536):
            answer += part
    return answer


FIELDS = [
    ("/api/v1/conversations", {"workspace": HALF}),
    ("/api/v1/conversations", {"workspace": "other", "subject": HALF}),
    ("/api/v1/conversations", {"workspace": "other", "customer": {"name": HALF}}),
    ("/api/v1/conversations", {"workspace": "other", HALF: "a key"}),
    ("/api/v1/workspaces/other/customers/register", {"email": f"{HALF}@a.example", "password": "x" * 12, "name": "A"}),
    ("/api/v1/workspaces/other/customers/login", {"email": "a@a.example", "password": HALF * 12}),
    ("/api/v1/auth/register", {"workspace": "new", "email": "a@a.example", "password": HALF * 12, "name": "A"}),
    ("/api/v1/answers", {"question": f"How {HALF}?"}),
    ("/api/v1/feedback", {"message_id": HALF, "vote": "up"}),
]


@pytest.mark.parametrize(("path", "body"), FIELDS)
async def test_half_a_character_is_refused_in_every_field(scene: Scene, path: str, body: dict[str, Any]) -> None:
    for visitor in (scene.nobody, scene.foreign):
        headers = {"Content-Type": "application/json"}
        answer = await visitor.client.post(path, content=json.dumps(body), headers=headers)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text
        assert answer.json()["type"] == "invalid"


async def test_a_whole_pair_and_a_written_escape_are_text_like_any_other(scene: Scene) -> None:
    for subject in ("😀", "the text \\ud83d itself"):
        answer = await scene.nobody.client.post(
            "/api/v1/conversations",
            content=json.dumps({"workspace": "other", "subject": subject}),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == httpx.codes.CREATED, answer.text


async def test_a_charset_that_decodes_to_anything_is_refused(scene: Scene) -> None:
    for content_type in (
        "application/json; charset=utf-16",
        'multipart/form-data; boundary=a; charset="unicode_escape"',
    ):
        headers = {"Content-Type": content_type}
        answer = await scene.nobody.client.post("/login", content=b"x", headers=headers)
        assert answer.status_code == httpx.codes.UNSUPPORTED_MEDIA_TYPE


async def test_a_body_that_nobody_waits_for_is_413_whatever_it_is(scene: Scene) -> None:
    for path in ("/api/v1/conversations", "/gradio_api/queue/join", "/login"):
        for content_type in ("application/json", "multipart/form-data; boundary=a", "text/plain"):
            headers = {"Content-Type": content_type}
            answer = await scene.foreign.client.post(path, content=b"x" * 1_500_000, headers=headers)
            assert answer.status_code in (400, 413, 422), (path, content_type, answer.text)


async def test_endless_headers_are_431(tmp_path: Path) -> None:
    start = b"GET /health/live HTTP/1.1\r\nHost: a\r\n"
    async with impatient_desk(tmp_path, header_seconds=5) as served:
        one_long = await raw(served, start + b"X-Long: " + b"x" * 10_000_000)
        assert one_long.startswith(b"HTTP/1.1 431 ") or not one_long
        assert (await raw(served, start + b"X-Long: " + b"x" * 40_000 + b"\r\n\r\n")).startswith(b"HTTP/1.1 431 ")
        many = b"".join(b"X-%d: x\r\n" % number for number in range(200))
        assert (await raw(served, start + many + b"\r\n")).startswith(b"HTTP/1.1 431 ")
        long_address = b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
        assert (await raw(served, long_address)).startswith(b"HTTP/1.1 431 ")
        async with httpx.AsyncClient(base_url=served.base_url) as client:
            usual = await client.get("/health/live", headers={"Cookie": "a=" + "x" * 8_000})
            assert usual.status_code == httpx.codes.OK


async def test_slow_headers_and_bodies_are_cut(tmp_path: Path) -> None:
    head = b"POST /api/v1/conversations HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n"
    async with impatient_desk(tmp_path) as served:
        began = time.monotonic()
        silent, drip, headers, body, blank = await asyncio.gather(
            raw(served),
            raw(served, *(b"GET / HTTP/1.1\r\n", *(b"X: y\r\n",) * 20), pause=0.1),
            raw(served, b"GET / HTTP/1.1\r\nHost: a\r\n"),
            raw(served, head, *(b"{",) * 20, pause=0.1),
            raw(served, b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n", *(b"\r\n",) * 20, pause=0.1),
        )
        assert time.monotonic() - began < 8
        assert silent == b""
        assert headers.startswith(b"HTTP/1.1 408 ")
        assert body.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in body
        assert drip.startswith(b"HTTP/1.1 408 ") or drip == b""
        assert blank.startswith(b"HTTP/1.1 200 ")


async def test_three_hundred_slow_clients_are_gone_and_others_are_served_meanwhile(tmp_path: Path) -> None:
    async with impatient_desk(tmp_path) as served:
        slow = [asyncio.create_task(raw(served, b"POST / HTTP/1.1\r\nHo")) for _ in range(300)]
        async with httpx.AsyncClient(base_url=served.base_url) as client:
            assert (await client.get("/health/live")).status_code == httpx.codes.OK
        answers = await asyncio.gather(*slow)
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)


async def test_one_connection_too_many_is_503(tmp_path: Path) -> None:
    async with impatient_desk(tmp_path, connections=3, header_seconds=5) as served:
        address = urlsplit(served.base_url)
        idle = [await asyncio.open_connection(address.hostname, address.port) for _ in range(4)]
        async with httpx.AsyncClient(base_url=served.base_url) as client:
            assert (await client.get("/health/live")).status_code == httpx.codes.SERVICE_UNAVAILABLE
        for _, writer in idle:
            writer.close()


async def test_a_request_that_takes_long_to_answer_is_not_cut(tmp_path: Path) -> None:
    async with impatient_desk(tmp_path) as served, httpx.AsyncClient(base_url=served.base_url) as client:
        await served.process.store.accounts.workspaces.create("other", "Other")
        opened = (await client.post("/api/v1/conversations", json={"workspace": "other"})).json()
        url = f"/api/v1/conversations/{opened['id']}/events?token={opened['customer_token']}"
        async with client.stream("GET", url) as events:
            assert events.status_code == httpx.codes.OK
            await asyncio.sleep(1.5)
            lines = events.aiter_lines()
            assert [await anext(lines), await anext(lines)] == ["id: 0", "event: state"]
