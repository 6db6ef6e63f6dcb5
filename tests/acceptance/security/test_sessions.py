"""A login that was stolen, and one that has ended: replayed over HTTP by cookie and by bearer."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.records import Member, Role
from tests.support.passwords import PASSWORD
from tests.support.rest import API, assert_problem
from tests.support.served import Served, serve_desk
from tests.support.settings import settings_for
from workbench.auth.sessions import SESSION_COOKIE

BOSS, ANNA = "boss@acme.example", "anna@acme.example"
OTHER_PASSWORD = "another long password"


@dataclass
class Desk:
    """A running desk, and the clients that are closed with it."""

    served: Served
    stack: AsyncExitStack

    async def client(self, **options: Any) -> httpx.AsyncClient:
        """Somebody new."""
        return await self.stack.enter_async_context(httpx.AsyncClient(base_url=self.served.base_url, **options))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with serve_desk(settings_for(tmp_path)) as served, AsyncExitStack() as stack:
        accounts = served.process.store.accounts
        await accounts.members.found_workspace(accounts.workspaces.plan("acme", "Acme"), BOSS, "Bo", PASSWORD)
        await accounts.members.add("acme", ANNA, "Anna", Role.AGENT, PASSWORD)
        yield Desk(served, stack)


async def member(desk: Desk, email: str) -> Member:
    return next(each for each in await desk.served.process.store.accounts.members.all("acme") if each.email == email)


async def bearer(desk: Desk, email: str, password: str = PASSWORD) -> httpx.AsyncClient:
    client = await desk.client()
    answer = await client.post(f"{API}/auth/login", data={"username": email, "password": password})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


async def browser(desk: Desk, email: str, password: str = PASSWORD) -> httpx.AsyncClient:
    client = await desk.client()
    answer = await client.post("/login", data={"email": email, "password": password})
    assert answer.headers["location"] == "/", answer.text
    return client


async def is_in(client: httpx.AsyncClient) -> bool:
    if "Authorization" in client.headers:
        return (await client.get(f"{API}/auth/me")).status_code == 200
    return (await client.get("/config")).status_code == 200


async def test_a_cookie_replayed_after_the_logout_opens_nothing(desk: Desk) -> None:
    client = await browser(desk, ANNA)
    stolen = client.cookies[SESSION_COOKIE]
    assert await is_in(client)
    await client.post("/logout")
    thief = await desk.client(cookies={SESSION_COOKIE: stolen})
    assert (await thief.get("/config")).status_code == 401
    assert (await thief.get("/")).headers["location"] == "/login"


async def test_a_bearer_replayed_after_the_logout_opens_nothing_and_others_stay(desk: Desk) -> None:
    one, two = await bearer(desk, ANNA), await bearer(desk, ANNA)
    assert (await one.post(f"{API}/auth/logout")).status_code == 204
    assert_problem(await one.get(f"{API}/auth/me"), 401, "not-logged-in")
    assert await is_in(two)


async def test_log_out_everywhere_ends_every_login_of_the_account_and_nobody_elses(desk: Desk) -> None:
    mine = [await bearer(desk, ANNA), await browser(desk, ANNA), await bearer(desk, ANNA)]
    boss = await bearer(desk, BOSS)
    assert (await mine[0].delete(f"{API}/auth/sessions")).status_code == 204
    assert [await is_in(client) for client in mine] == [False] * 3
    assert await is_in(boss)


async def test_one_login_of_a_list_is_ended_and_a_stranger_ends_none(desk: Desk) -> None:
    one, two, boss = await bearer(desk, ANNA), await bearer(desk, ANNA), await bearer(desk, BOSS)
    listed = (await one.get(f"{API}/auth/sessions")).json()["items"]
    assert len(listed) == 2
    (other,) = [each["id"] for each in listed if not each["is_current"]]
    assert_problem(await boss.delete(f"{API}/auth/sessions/{other}"), 404, "not-found")
    assert (await one.delete(f"{API}/auth/sessions/{other}")).status_code == 204
    assert (await is_in(one), await is_in(two)) == (True, False)


async def test_a_changed_password_ends_every_other_login(desk: Desk) -> None:
    one, two = await bearer(desk, ANNA), await browser(desk, ANNA)
    wrong = {"current_password": "not the password", "new_password": OTHER_PASSWORD}
    assert_problem(await one.post(f"{API}/auth/password", json=wrong), 403, "not-allowed")
    answer = await one.post(f"{API}/auth/password", json={**wrong, "current_password": PASSWORD})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (await is_in(one), await is_in(two)) == (False, False)
    assert await is_in(await bearer(desk, ANNA, OTHER_PASSWORD))


async def test_a_new_role_and_a_removal_end_the_logins_at_once(desk: Desk) -> None:
    boss, anna = await bearer(desk, BOSS), await browser(desk, ANNA)
    anna_id = (await member(desk, ANNA)).id
    await boss.patch(f"{API}/members/{anna_id}", json={"role": "admin"})
    assert not await is_in(anna)
    again = await bearer(desk, ANNA)
    assert (await boss.delete(f"{API}/members/{anna_id}")).status_code == 204
    assert not await is_in(again)


async def test_a_reset_password_opens_nothing_but_the_page_to_change_it(desk: Desk) -> None:
    await desk.served.process.store.accounts.accounts.reset_password("acme", ANNA, OTHER_PASSWORD)
    client, page = await bearer(desk, ANNA, OTHER_PASSWORD), await browser(desk, ANNA, OTHER_PASSWORD)
    assert_problem(await client.get(f"{API}/conversations"), 403, "password-change-required")
    assert (await page.get("/")).headers["location"] == "/password"
    assert (await page.get("/config")).status_code == 403
    assert "choose one of your own" in (await page.get("/password")).text
    changed = await page.post("/password", data={"current": OTHER_PASSWORD, "new": PASSWORD})
    assert changed.headers["location"] == "/"
    assert await is_in(page)
    assert not await is_in(client)
