"""The REST interface behind a real server, spoken to over a socket."""

import asyncio
from pathlib import Path

import httpx
from fastapi.routing import APIRoute
from structlog.testing import capture_logs

from graph.triage.classifier import Classifier
from storage.embeddings.protocol import Embedder
from tests.support.rest import (
    API,
    Rest,
    assert_problem,
    open_rest,
)
from tests.support.settings import settings_for
from tests.support.web_desk import serving

pytest_plugins = ["tests.support.rest_fixtures"]


async def test_a_file_over_the_limit_is_refused_over_a_socket(
    tmp_path: Path, embedder: Embedder, classifier: Classifier
) -> None:
    settings = settings_for(tmp_path, web={"max_upload_mb": 1})
    async with (
        open_rest(settings, embedder, classifier) as rest,
        serving(rest.app) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        files = {"file": ("faq.csv", b"x" * 8_000_000)}
        answer = await client.post(f"{API}/documents", files=files, headers=rest.admin.headers)
        assert_problem(answer, 413, "too-large")
        assert (await client.get("/health")).status_code == 200


async def test_a_body_over_the_limit_is_refused_also_without_a_login(rest: Rest) -> None:
    async with serving(rest.app) as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.post(f"{API}/auth/register", json={"workspace": "x" * 5_000_000})
        assert_problem(answer, 413, "too-large")


async def test_a_form_over_the_limit_is_refused(rest: Rest) -> None:
    async with serving(rest.app) as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.post(f"{API}/auth/login", data={"username": "x" * 5_000_000, "password": "y"})
        assert_problem(answer, 413, "too-large")


async def test_logins_side_by_side_are_limited_as_well(rest: Rest) -> None:
    async with serving(rest.app) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        form = {"username": "agent@demo.example", "password": "wrong"}
        answers = await asyncio.gather(*(client.post(f"{API}/auth/login", data=form) for _ in range(14)))
    assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 4


async def test_an_unexpected_error_is_told_by_a_reference_that_is_in_the_log(rest: Rest) -> None:
    async def broken() -> None:
        raise RuntimeError("secret words of the inside")

    rest.app.router.routes.insert(0, APIRoute("/api/v1/broken", broken))
    with capture_logs() as logs:
        async with serving(rest.app) as url, httpx.AsyncClient(base_url=url) as client:
            answer = await client.get("/api/v1/broken")
    problem = assert_problem(answer, 500, "error")
    assert "secret words" not in answer.text
    assert "RuntimeError" not in answer.text
    assert [entry["request"] for entry in logs if entry["event"] == "request failed"] == [problem["reference"]]


async def test_a_crawler_of_the_docs_needs_no_other_host(rest: Rest) -> None:
    async with serving(rest.app) as url, httpx.AsyncClient(base_url=url) as client:
        page = await client.get("/docs")
        described = (await client.get("/openapi.json")).json()
    assert page.status_code == 200
    assert "http" not in page.text.replace("http-equiv", "")
    assert "<script" not in page.text
    for path in described["paths"]:
        assert path in page.text
