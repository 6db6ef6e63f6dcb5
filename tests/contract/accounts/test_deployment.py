"""What is decided for the whole deployment, in rows that every process reads."""

import asyncio

import pytest
from sqlalchemy import delete

from storage.database.engine import Database
from storage.database.tables import deployment
from storage.errors import NotFoundError, RegistrationClosedError
from storage.records import Member
from storage.store import Store
from tests.support.passwords import PASSWORD


async def found(store: Store, workspace_id: str, *, only_first: bool) -> Member:
    plan = store.accounts.workspaces.plan(workspace_id, workspace_id)
    email = f"boss@{workspace_id}.example"
    return await store.accounts.members.found_workspace(plan, email, "Bo", PASSWORD, only_first=only_first)


async def test_the_home_workspace_is_what_was_chosen_and_one_that_exists(store: Store) -> None:
    deployment = store.accounts.deployment
    await store.accounts.workspaces.create("a", "First by id")
    await deployment.choose_home_workspace("demo")
    assert await deployment.home_workspace() == "demo"
    with pytest.raises(NotFoundError):
        await deployment.choose_home_workspace("nowhere")
    await deployment.choose_home_workspace("a")
    assert await deployment.home_workspace() == "a"


async def test_of_two_who_register_first_at_once_one_is(store: Store) -> None:
    ended = await asyncio.gather(
        found(store, "one", only_first=True), found(store, "two", only_first=True), return_exceptions=True
    )
    assert sorted(type(end).__name__ for end in ended) == ["Member", "RegistrationClosedError"]


async def test_who_founds_a_further_workspace_does_not_move_the_home(store: Store) -> None:
    await store.accounts.deployment.choose_home_workspace("demo")
    await found(store, "one", only_first=False)
    assert await store.accounts.deployment.home_workspace() == "demo"


async def test_the_first_workspace_founded_is_the_home(store: Store, database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(delete(deployment))
    await found(store, "one", only_first=True)
    assert await store.accounts.deployment.home_workspace() == "one"
    with pytest.raises(RegistrationClosedError):
        await found(store, "two", only_first=True)
