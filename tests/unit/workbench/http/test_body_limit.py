"""What is too large is refused while it comes in, wherever it is sent."""

import httpx
import pytest
from fastapi import FastAPI, Request

from workbench.api.problems import install_problems
from workbench.http.body_limit import MEGABYTE, BodyLimitMiddleware


@pytest.fixture
def client() -> httpx.AsyncClient:
    site = FastAPI()
    install_problems(site)
    site.add_middleware(BodyLimitMiddleware, largest_file=2 * MEGABYTE)

    @site.post("/api/v1/conversations")
    @site.post("/api/v1/documents")
    async def length(request: Request) -> int:
        return len(await request.body())

    return httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://desk")


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/api/v1/conversations", MEGABYTE, 200),
        ("/api/v1/conversations", MEGABYTE + 1, 413),
        ("/api/v1/documents", 2 * MEGABYTE, 200),
        ("/api/v1/documents", 3 * MEGABYTE + 1, 413),
    ],
)
async def test_a_body_is_read_up_to_the_bound_of_its_path(
    client: httpx.AsyncClient, path: str, size: int, status: int
) -> None:
    answer = await client.post(path, content=b"x" * size)
    assert answer.status_code == status
    if status == 413:
        assert answer.headers["content-type"] == "application/problem+json"
