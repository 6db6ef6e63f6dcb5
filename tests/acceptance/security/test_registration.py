"""A stranger who wants a desk of others: registration, and whose `/chat` is."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from storage import clock
from storage.records import Role
from tests.support.passwords import PASSWORD
from tests.support.rest import API, assert_problem
from tests.support.served import Served, serve_desk
from tests.support.settings import settings_for

FIRST = {"workspace": "acme", "email": "boss@acme.example", "password": PASSWORD}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A desk without anybody in it, with the settings that it comes with."""
    async with serve_desk(settings_for(tmp_path, access={"registration": "first"})) as served:
        yield served


@pytest.fixture
async def stranger(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.base_url) as client:
        yield client


async def register(client: httpx.AsyncClient, **body: str) -> httpx.Response:
    return await client.post(f"{API}/auth/register", json=FIRST | body)


@pytest.mark.parametrize("workspace", ["a", "demo", "zzz"])
async def test_a_stranger_registers_nothing_where_there_is_an_admin(
    served: Served, stranger: httpx.AsyncClient, workspace: str
) -> None:
    assert (await register(stranger)).status_code == 201
    refused = await register(stranger, workspace=workspace, email="eve@evil.example")
    assert_problem(refused, 403, "registration-closed")
    assert [found.id for found in await served.process.store.accounts.workspaces.all()] == ["acme"]


async def test_an_admin_made_on_the_command_line_closes_registration_too(
    served: Served, stranger: httpx.AsyncClient
) -> None:
    accounts = served.process.store.accounts
    await accounts.workspaces.create("acme", "Acme")
    await accounts.members.add("acme", "boss@acme.example", "Bo", Role.ADMIN, PASSWORD)
    assert_problem(await register(stranger, workspace="evil"), 403, "registration-closed")


async def test_chat_shows_the_home_workspace_and_never_the_first_by_id(
    served: Served, stranger: httpx.AsyncClient
) -> None:
    assert (await register(stranger, workspace_name="Acme Support")).status_code == 201
    await served.process.store.accounts.workspaces.create("a", "Evil")
    page = await stranger.get("/chat")
    assert page.status_code == 200
    assert 'data-workspace="acme"' in page.text


async def test_without_a_home_workspace_chat_says_in_a_sentence_what_to_do(
    served: Served, stranger: httpx.AsyncClient
) -> None:
    await served.process.store.accounts.workspaces.create("a", "Alone")
    page = await stranger.get("/chat")
    assert page.status_code == 404
    assert "deskhand workspace home" in page.text
    assert 'data-workspace=""' in page.text


@pytest.fixture
async def by_invitation(tmp_path: Path) -> AsyncIterator[Served]:
    """A desk on which an operator invites."""
    async with serve_desk(settings_for(tmp_path, access={"registration": "invitation"})) as served:
        plan = served.process.store.accounts.workspaces.plan("acme", "")
        await served.process.store.accounts.members.found_workspace(plan, "boss@acme.example", "Bo", PASSWORD)
        yield served


async def test_an_invitation_founds_one_workspace_and_nothing_after_that(by_invitation: Served) -> None:
    accounts = by_invitation.process.store.accounts
    token, _ = await accounts.invitations.make(timedelta(hours=1))
    beta = {"workspace": "beta", "email": "bea@beta.example"}
    async with httpx.AsyncClient(base_url=by_invitation.base_url) as client:
        assert_problem(await register(client, **beta), 403, "registration-closed")
        assert_problem(await register(client, **beta, invitation="guessed"), 403, "registration-closed")
        taken = await register(client, **beta | {"workspace": "acme"}, invitation=token)
        assert taken.status_code == 409, "what fails does not use it up"
        assert (await register(client, **beta, invitation=token)).status_code == 201
        again = await register(client, workspace="gamma", email="eve@evil.example", invitation=token)
        assert_problem(again, 403, "registration-closed")
    assert sorted(found.id for found in await accounts.workspaces.all()) == ["acme", "beta"]
    assert await accounts.deployment.home_workspace() == "acme"


async def test_an_invitation_expires_and_no_step_of_the_clock_prolongs_it(by_invitation: Served) -> None:
    accounts = by_invitation.process.store.accounts
    token, _ = await accounts.invitations.make(timedelta(hours=1))
    async with httpx.AsyncClient(base_url=by_invitation.base_url) as client:
        for step in (timedelta(hours=2), timedelta(days=-40)):
            with clock.shifted(step):
                assert_problem(await register(client, workspace="beta", invitation=token), 403, "registration-closed")
        assert (await register(client, workspace="beta", email="b@b.example", invitation=token)).status_code == 201


async def test_only_operators_make_invitations(by_invitation: Served) -> None:
    accounts = by_invitation.process.store.accounts
    await accounts.workspaces.create("other", "Other")
    await accounts.members.add("other", "ada@other.example", "Ada", Role.ADMIN, PASSWORD)
    async with httpx.AsyncClient(base_url=by_invitation.base_url) as client:
        for email, status in (("ada@other.example", 403), ("boss@acme.example", 201)):
            login = await client.post(f"{API}/auth/login", data={"username": email, "password": PASSWORD})
            bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
            made = await client.post(f"{API}/deployment/invitations", json={"hours": 2}, headers=bearer)
            assert made.status_code == status
        assert (await client.post(f"{API}/deployment/invitations", json={})).status_code == 401
        page = await client.get(made.json()["path"])
        assert made.json()["token"] in page.text
        form = {"token": made.json()["token"], "workspace": "beta", "email": "b@b.example", "password": PASSWORD}
        joined = await client.post("/join", data=form)
        assert joined.status_code == 303
        assert "deskhand_session" in joined.cookies
        assert (await client.post("/join", data=form | {"workspace": "gamma"})).status_code == 403
