"""Logging in at the workbench's door."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from storage.accounts.devices import Devices
from storage.accounts.login_limits import LoginLimits
from storage.records import Member
from storage.settings import Settings
from storage.store import Store
from tests.support.passwords import PASSWORD
from tests.support.rows import database_of
from workbench.auth.login_page import login_routes


@pytest.fixture
async def client(store: Store, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app, limits = (
        FastAPI(),
        LoginLimits(database_of(store), Devices("a secret that is as long as it must be", "member"), 3, "member"),
    )
    app.include_router(login_routes(replace(store.accounts, member_logins=limits), settings))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://desk.example") as client:
        yield client


async def test_after_too_many_failures_even_the_right_password_must_wait(
    client: httpx.AsyncClient, agent: Member
) -> None:
    wrong = {"email": agent.email, "password": "wrong password"}
    answers = [await client.post("/login", data=wrong) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert "Too many attempts; try again in" in answers[-1].text
    assert (await client.post("/login", data={**wrong, "password": PASSWORD})).status_code == 429


async def test_a_login_over_https_gets_a_secure_cookie(client: httpx.AsyncClient, agent: Member) -> None:
    answer = await client.post("/login", data={"email": agent.email, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303
    assert all(word in cookie for word in ("httponly", "samesite=lax", "secure"))


async def test_what_was_typed_comes_back_as_text(client: httpx.AsyncClient) -> None:
    answer = await client.post("/login", data={"email": '"><script>x</script>', "password": "y"})
    assert "<script>x" not in answer.text
    assert "&lt;script&gt;x" in answer.text
