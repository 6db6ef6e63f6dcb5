"""Every error is a problem document."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Form
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

import bot
import graph
import storage
import workbench
from storage.errors import (
    AlreadyDecidedError,
    DeskhandError,
    NotFoundError,
    SettingsError,
    StaleError,
    TooManyAttemptsError,
    UnavailableError,
)
from workbench.api.problems import install_problems
from workbench.http.body_limit import MEGABYTE, BodyLimitMiddleware

MEDIA_TYPE = "application/problem+json"

STATUSES = {
    "already-decided": 409,
    "conflict": 409,
    "not-here": 409,
    "conversation-closed": 409,
    "decision-shape": 422,
    "error": 500,
    "invalid": 422,
    "model": 502,
    "model-invalid": 502,
    "model-prompt-too-long": 502,
    "model-rate-limited": 503,
    "model-refused": 502,
    "model-rejected-key": 502,
    "model-rejected-request": 502,
    "model-timeout": 504,
    "model-unavailable": 503,
    "not-allowed": 403,
    "not-found": 404,
    "not-logged-in": 401,
    "overloaded": 503,
    "password-change-required": 403,
    "registration-closed": 403,
    "schema": 503,
    "settings": 500,
    "stale": 409,
    "team-unbound": 409,
    "too-large": 413,
    "too-many-attempts": 429,
    "too-many-messages": 429,
    "unavailable": 503,
    "unreadable-file": 422,
}
"""What clients have been told: the HTTP status of every kind of error."""


class Order(BaseModel):
    name: str
    amounts: list[int] = []


def raising(error: Exception) -> FastAPI:
    async def fail() -> None:
        raise error

    return serving(("/fail", "GET", fail))


def serving(*routes: tuple[str, str, Any]) -> FastAPI:
    app = FastAPI()
    app.add_middleware(BodyLimitMiddleware, largest_file=MEGABYTE)
    install_problems(app)
    router = APIRouter(prefix="/api/v1")
    for path, method, endpoint in routes:
        router.add_api_route(path, endpoint, methods=[method])
    app.include_router(router)
    app.mount("/", PlainTextResponse("a page"))
    return app


async def ask(app: FastAPI, method: str, path: str, **request: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        return await client.request(method, "/api/v1" + path, **request)


async def take(order: Order) -> str:
    return order.name


async def take_form(name: Annotated[str, Form()]) -> str:
    return name


def every_error(of: type[DeskhandError] = DeskhandError) -> Iterator[type[DeskhandError]]:
    yield of
    for error in of.__subclasses__():
        yield from every_error(error)


def test_every_kind_of_error_has_its_status() -> None:
    for package in (bot, graph, storage, workbench):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    statuses = {error.kind: error.status for error in every_error()}
    assert len(statuses) > 20
    assert statuses == STATUSES


@pytest.mark.parametrize("error", [NotFoundError(), NotFoundError("There is no such thing."), SettingsError("x")])
async def test_an_error_answers_with_its_kind_and_status(error: DeskhandError) -> None:
    answer = await ask(raising(error), "GET", "/fail")
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert (answer.status_code, answer.json()["type"]) == (STATUSES[error.kind], error.kind)
    assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize(
    ("error", "members"),
    [
        (AlreadyDecidedError("Alex", "approve"), {"by": "Alex", "decision": "approve", "status": 409}),
        (StaleError("Wait!"), {"new_text": "Wait!", "status": 409, "type": "stale"}),
        (TooManyAttemptsError(17), {"retry_after": 17, "status": 429}),
    ],
)
async def test_some_errors_say_more(error: DeskhandError, members: dict[str, Any]) -> None:
    assert (await ask(raising(error), "GET", "/fail")).json().items() >= members.items()


async def test_too_many_attempts_say_when_to_come_back() -> None:
    assert (await ask(raising(TooManyAttemptsError(17)), "GET", "/fail")).headers["retry-after"] == "17"


@pytest.mark.parametrize(
    "error", [UnavailableError("10.0.0.7 refused"), RuntimeError("10.0.0.7"), KeyError("10.0.0.7")]
)
async def test_what_went_wrong_inside_stays_inside(error: Exception) -> None:
    answer = await ask(raising(error), "GET", "/fail")
    assert answer.status_code in (500, 503)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert "10.0.0.7" not in answer.text
    assert len(answer.json()["reference"]) == 32


async def test_invalid_input_names_every_place_and_repeats_no_value() -> None:
    body = {"name": ["hunter2"], "amounts": [1, "two"]}
    answer = await ask(serving(("/orders", "POST", take)), "POST", "/orders", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE)
    assert [error["place"] for error in answer.json()["errors"]] == ["body.name", "body.amounts.1"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_no_json_is_a_problem(content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await ask(serving(("/orders", "POST", take)), "POST", "/orders", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    assert (answer.headers["content-type"], answer.json()["type"]) == (MEDIA_TYPE, "invalid")


async def test_an_unknown_address_is_not_found_and_not_the_page_behind_it() -> None:
    for path in ("/nothing", "/orders/", "/orders/1", ""):
        answer = await ask(serving(("/orders", "POST", take)), "GET", path)
        assert (answer.status_code, answer.json()["type"]) == (404, "not-found"), path
        assert answer.headers["content-type"] == MEDIA_TYPE


async def test_pages_outside_the_api_are_reached() -> None:
    transport = httpx.ASGITransport(serving())
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        for path in ("/", "/chat", "/apian"):
            assert (await client.get(path)).text == "a page"


async def test_a_method_that_is_not_served_is_told_which_is() -> None:
    app = serving(("/orders", "POST", take), ("/orders", "DELETE", take_form))
    for method in ("GET", "PUT", "HEAD", "OPTIONS", "TRACE", "BREW"):
        answer = await ask(app, method, "/orders")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, DELETE"), method
    assert (await ask(app, "GET", "/orders")).json()["type"] == "method-not-allowed"


@pytest.mark.parametrize("path", ["/orders", "/forms"])
@pytest.mark.parametrize("known_length", [True, False])
async def test_a_body_is_read_no_further_than_its_limit(path: str, known_length: bool) -> None:
    async def endless() -> Any:
        for _ in range(MEGABYTE):
            yield b"x" * 100_000
        raise AssertionError("read to the end")

    app = serving(("/orders", "POST", take), ("/forms", "POST", take_form))
    kind = "application/json" if path == "/orders" else "application/x-www-form-urlencoded"
    content = b"x" * (MEGABYTE + 1) if known_length else endless()
    answer = await ask(app, "POST", path, content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["type"]) == (413, "too-large")


async def test_a_body_of_the_limit_is_read() -> None:
    name = "x" * (MEGABYTE - len('{"name":""}'))
    answer = await ask(serving(("/orders", "POST", take)), "POST", "/orders", json={"name": name})
    assert answer.json() == name


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid"),
        (401, "not-logged-in"),
        (403, "not-allowed"),
        (404, "not-found"),
        (415, "unsupported-media-type"),
    ],
)
async def test_errors_of_the_framework_have_kinds_too(status: int, kind: str) -> None:
    answer = await ask(raising(HTTPException(status)), "GET", "/fail")
    assert (answer.status_code, answer.json()["type"], answer.headers["content-type"]) == (status, kind, MEDIA_TYPE)
