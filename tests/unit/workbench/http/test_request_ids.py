"""Every request has an id: in its response, and in every line that is logged meanwhile."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.contextvars import get_contextvars

from workbench.http.request_ids import RequestIdMiddleware, request_id_of


async def echo(request: Request) -> PlainTextResponse:
    bound = get_contextvars()["request"]
    assert bound == request_id_of(request)
    return PlainTextResponse(bound)


async def ask(given: str | None = None) -> httpx.Response:
    app = Starlette(routes=[Route("/", echo)])
    app.add_middleware(RequestIdMiddleware)
    headers = {"x-request-id": given} if given else {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        return await client.get("/", headers=headers)


async def test_a_response_names_the_request_as_the_log_does() -> None:
    first, second = await ask(), await ask()
    assert first.headers["x-request-id"] == first.text
    assert len(first.text) == 32
    assert first.text != second.text
    assert "request" not in get_contextvars()


@pytest.mark.parametrize("given", ["0af7651916cd43dd8448eb211c80319c", "3D7C9A6E-2f1b-4c5d-8e9f-0a1b2c3d4e5f"])
async def test_an_id_that_a_proxy_gave_is_kept(given: str) -> None:
    assert (await ask(given)).text == given


@pytest.mark.parametrize("given", ["cleo@example.com", "a" * 65, "the words of a customer", "abc"])
async def test_words_are_not_taken_for_an_id(given: str) -> None:
    assert given not in (await ask(given)).text
