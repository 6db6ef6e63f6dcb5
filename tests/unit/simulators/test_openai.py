import base64
import struct
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.simulators.openai.server import DIMENSIONS, OpenAISimulator

pytest_plugins = ["tests.simulators.openai.fixtures"]

MESSAGES = [{"role": "user", "content": "Hello"}]
OPEN_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def post(server: OpenAISimulator, path: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.base_url}{path}", json={"model": "simulated", **body}, trust_env=False)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_embeddings_of_texts_that_share_words_are_near(server: OpenAISimulator) -> None:
    texts = ["reset my password", "password reset", "invoice from May"]
    password, same, other = (item["embedding"] for item in post(server, "/embeddings", input=texts).json()["data"])
    assert cosine(password, same) > 0.7
    assert cosine(password, other) < 0.3
    assert cosine(password, password) == pytest.approx(1)


def test_embeddings_come_as_base64_and_in_the_size_asked_for(server: OpenAISimulator) -> None:
    (plain,) = post(server, "/embeddings", input="hello").json()["data"]
    (packed,) = post(server, "/embeddings", input=["hello"], encoding_format="base64").json()["data"]
    unpacked = struct.unpack(f"<{DIMENSIONS}f", base64.b64decode(packed["embedding"]))
    assert list(unpacked) == pytest.approx(plain["embedding"])
    (short,) = post(server, "/embeddings", input="hello", dimensions=8).json()["data"]
    assert len(short["embedding"]) == 8


@pytest.mark.parametrize(
    "asked",
    [
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "Open", "schema": OPEN_SCHEMA}}},
        {"stream": True},
    ],
    ids=["JSON mode without the word", "open schema", "stream"],
)
def test_what_openai_refuses_is_refused(server: OpenAISimulator, asked: dict[str, Any]) -> None:
    assert post(server, "/chat/completions", messages=MESSAGES, **asked).status_code == 400


def test_a_wrong_key_is_refused_everywhere(server: OpenAISimulator) -> None:
    server.key = "sk-right"
    assert post(server, "/chat/completions", messages=MESSAGES).status_code == 401
    assert post(server, "/embeddings", input="hello").status_code == 401


async def test_the_server_runs_beside_any_event_loop() -> None:
    async with OpenAISimulator() as server, httpx.AsyncClient(trust_env=False) as client:
        models = (await client.get(f"{server.base_url}/models")).json()
    assert models["data"][0]["id"] == "simulated"
