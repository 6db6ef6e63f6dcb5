"""A stranger who wants a desk of others: registration, and whose `/chat` is."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

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
