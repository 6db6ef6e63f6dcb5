"""A stranger who takes somebody's address, and an admin who would like to be more."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import httpx
import pytest
from argon2 import PasswordHasher

from storage.errors import ConflictError, NotAllowedError, NotLoggedInError
from storage.records import Role
from storage.store import Store
from tests.support.passwords import PASSWORD
from tests.support.rest import API, assert_problem
from tests.support.served import serve_desk
from tests.support.settings import settings_for
from tests.support.shared_model import shared_embedder
from tests.support.store import open_test_store

EVES = "the password of a stranger"
BOSS = "boss@demo.example"


@pytest.fixture
async def store(tmp_path: Path, database_url: str) -> AsyncIterator[Store]:
    async with open_test_store(settings_for(tmp_path, database_url), shared_embedder()) as store:
        yield store


async def found(store: Store, workspace: str, email: str, password: str) -> None:
    await store.accounts.members.found_workspace(store.accounts.workspaces.plan(workspace, ""), email, "", password)


class CountedHashes(PasswordHasher):
    """Counts what costs time."""

    count = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        CountedHashes.count += 1
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
        CountedHashes.count += 1
        return super().verify(hash, password)


@pytest.mark.parametrize("email", [BOSS, "nobody@demo.example"])
async def test_a_login_costs_one_hash_however_many_workspaces_the_address_has(
    store: Store, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for workspace in ("one", "two", "three"):
        await found(store, workspace, BOSS, PASSWORD)
    passwords = store.accounts.accounts._passwords
    monkeypatch.setattr(passwords, "_hasher", _counting(passwords._hasher))
    CountedHashes.count = 0
    with pytest.raises(NotLoggedInError):
        await store.accounts.members.log_in(email, "not the password")
    assert CountedHashes.count == 1


def _counting(hasher: PasswordHasher) -> CountedHashes:
    return CountedHashes(hasher.time_cost, hasher.memory_cost, hasher.parallelism)


async def test_a_stranger_founds_no_workspace_with_somebody_elses_address(store: Store) -> None:
    await store.accounts.members.add("demo", BOSS, "Bo", Role.ADMIN, PASSWORD)
    with pytest.raises(ConflictError):
        await found(store, "evil", BOSS, EVES)
    assert [each.workspace_id for each in await store.accounts.members.log_in(BOSS, PASSWORD)] == ["demo"]


async def test_who_took_an_address_first_does_not_come_in_where_it_is_added_later(store: Store) -> None:
    await found(store, "evil", BOSS, EVES)
    with pytest.raises(ConflictError, match="has a login already"):
        await store.accounts.members.add("demo", BOSS, "Bo", Role.ADMIN, PASSWORD)
    await store.accounts.members.add("demo", BOSS, "Bo", Role.ADMIN, PASSWORD, replaces_password=True)
    with pytest.raises(NotLoggedInError):
        await store.accounts.members.log_in(BOSS, EVES)
    assert len(await store.accounts.members.log_in(BOSS, PASSWORD)) == 2


async def test_an_admin_resets_no_password_that_opens_other_workspaces(store: Store) -> None:
    await store.accounts.members.add("demo", BOSS, "Bo", Role.ADMIN, PASSWORD)
    await found(store, "evil", BOSS, PASSWORD)
    with pytest.raises(NotAllowedError, match="deskhand member reset"):
        await store.accounts.accounts.reset_password("evil", BOSS, EVES)
    await store.accounts.members.log_in(BOSS, PASSWORD)


async def test_an_admin_does_not_become_operator_through_an_operators_address(store: Store) -> None:
    boss = await store.accounts.members.add("demo", BOSS, "Bo", Role.ADMIN, PASSWORD)
    other = await store.accounts.members.add("demo", "eve@demo.example", "Eve", Role.ADMIN, EVES)
    await store.accounts.accounts.set_operator(BOSS, is_operator=True)
    with pytest.raises(NotAllowedError):
        await store.accounts.accounts.reset_password("demo", BOSS, EVES)
    await store.accounts.membership.remove(other, boss.id)
    with pytest.raises(ConflictError):
        await store.accounts.members.add("demo", BOSS, "Bo", Role.ADMIN, EVES)
    assert not await store.accounts.accounts.is_operator(other)


async def test_the_first_registered_is_operator_and_later_ones_are_not(tmp_path: Path) -> None:
    async with (
        serve_desk(settings_for(tmp_path)) as served,
        httpx.AsyncClient(base_url=served.base_url) as client,
    ):
        answers = [
            await client.post(
                f"{API}/auth/register",
                json={"workspace": name, "email": f"{name}@x.example", "password": PASSWORD},
            )
            for name in ("one", "two")
        ]
        first, second = ({"Authorization": f"Bearer {answer.json()['access_token']}"} for answer in answers)
        path, change = f"{API}/deployment", {"home_workspace": "two"}
        assert_problem(await client.get(path, headers=second), 403, "not-allowed")
        assert_problem(await client.patch(path, json=change, headers=second), 403, "not-allowed")
        assert (await client.get(path, headers=first)).json() == {"home_workspace": "one", "registration": "open"}
        assert (await client.patch(path, json=change, headers=first)).json()["home_workspace"] == "two"
        assert 'data-workspace="two"' in (await client.get("/chat")).text


async def test_of_sixty_wrong_passwords_side_by_side_ten_are_looked_at_and_the_owner_still_comes_in(
    tmp_path: Path,
) -> None:
    async with (
        serve_desk(settings_for(tmp_path)) as served,
        httpx.AsyncClient(base_url=served.base_url, timeout=60) as owner,
        httpx.AsyncClient(base_url=served.base_url, timeout=60) as stranger,
    ):
        await found(served.process.store, "acme", BOSS, PASSWORD)
        right, wrong = ({"username": BOSS, "password": password} for password in (PASSWORD, "not the password"))
        path = f"{API}/auth/login"
        assert (await owner.post(path, data=right)).status_code == 200
        tried = await asyncio.gather(*(stranger.post(path, data=wrong) for _ in range(60)))
        assert Counter(answer.status_code for answer in tried) == {401: 10, 429: 50}
        assert (await stranger.post("/login", data={"email": BOSS, "password": PASSWORD})).status_code == 429
        assert (await owner.post(path, data=right)).status_code == 200
