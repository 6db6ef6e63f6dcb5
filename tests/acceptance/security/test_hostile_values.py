"""Fuzzing from the OpenAPI document: whatever a field holds, no answer is a 5xx, and none is undocumented."""

import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.intruders import Scene, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")
SEED = 20_261_127
ROUNDS = 6
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**30,
    1e308,
    "",
    " ",
    "\x00",
    "a\x00b",
    "\u202e\ufeff",
    "😀" * 50,
    "a" * 400,
    "x@y",
    "0" * 32,
    "f" * 32,
    "2026-13-45",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    "victim",
    "../../etc/passwd",
    [],
    {},
    [[[]]],
    {"a": {"b": 1}},
)
"""What clients have sent somewhere: wrong kinds, edges of numbers and dates, characters that some store cannot keep."""
UNTOUCHED = {"/api/v1/auth/logout", "/api/v1/auth/sessions"}
"""They end the login that the next request needs."""


def operations(api: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in api["paths"].items():
        if path not in UNTOUCHED and not path.endswith("/events"):
            yield from ((method, path, described) for method, described in methods.items())


def body_of(api: dict[str, Any], described: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Hostile values in the fields that the schema names, or something that is no object at all."""
    content = described.get("requestBody", {}).get("content", {})
    schema = next((one["schema"] for one in content.values()), None)
    if schema is None:
        return {}
    while "$ref" in schema or "anyOf" in schema:
        schema = (
            schema["anyOf"][0] if "anyOf" in schema else api["components"]["schemas"][schema["$ref"].split("/")[-1]]
        )
    fields = {name: chance.choice(VALUES) for name in schema.get("properties", {})}
    if "application/json" in content:
        return {"json": fields if chance.random() < 0.9 else chance.choice(VALUES)}
    if "multipart/form-data" in content:
        return {"files": {"file": (chance.choice(("a.csv", "a.json", "a.exe", "\x00.md")), b"\x00\xff{[")}}
    return {"data": {name: str(value) for name, value in fields.items()}}


def filled(path: str, described: dict[str, Any], chance: random.Random) -> tuple[str, dict[str, str]]:
    query: dict[str, str] = {}
    for one in described.get("parameters", ()):
        value = str(chance.choice(VALUES))
        if one["in"] == "path":
            usable = value.replace("/", "%2F").replace("\x00", "%00") or "x"
            path = path.replace(f"{{{one['name']}}}", usable if chance.random() < 0.5 else "0" * 32)
        elif one["in"] == "query" and one["name"] != "wait":
            query[one["name"]] = value
    return path, query


@pytest.mark.parametrize("who", ["nobody", "agent", "foreign"])
async def test_no_value_of_any_field_is_an_error_of_ours(scene: Scene, who: str) -> None:
    visitor: Visitor = getattr(scene, who)
    chance = random.Random(f"{SEED} {who}")  # noqa: S311 - the same each time
    api = (await scene.nobody.client.get("/openapi.json")).json()
    wrong: list[tuple[str, str, dict[str, str], object, int, str]] = []
    for method, path, described in operations(api):
        for _ in range(ROUNDS):
            url, query = filled(path, described, chance)
            body = body_of(api, described, chance)
            answer = await visitor.client.request(method, url, params=query, **body)
            documented = {str(answer.status_code), "default"} & set(described["responses"])
            # A path that no route takes any more, because of what was filled in.
            is_elsewhere = answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)
            if answer.is_server_error or not (documented or is_elsewhere):
                wrong.append((method, url, query, body, answer.status_code, answer.text[:200]))
    assert not wrong, "\n".join(map(str, wrong))
