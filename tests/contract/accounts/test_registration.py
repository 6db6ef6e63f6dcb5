"""A workspace and its first admin come together or not at all."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.errors import ConflictError
from storage.records import Role
from storage.store import Store
from tests.support.passwords import PASSWORD
from tests.support.rows import database_of


async def test_a_workspace_is_founded_with_its_admin(store: Store) -> None:
    admin = await store.accounts.members.found_workspace(
        store.accounts.workspaces.plan("ours", "Ours"), "Ada@Ours.example", "Ada", PASSWORD
    )
    assert (admin.role, admin.email) == (Role.ADMIN, "ada@ours.example")
    assert await store.accounts.members.log_in("ada@ours.example", PASSWORD) == [admin]
    with pytest.raises(ConflictError, match="already a workspace"):
        await store.accounts.members.found_workspace(
            store.accounts.workspaces.plan("ours", "Theirs"), "eve@theirs.example", "Eve", PASSWORD
        )
    assert [member.email for member in await store.accounts.members.all("ours")] == ["ada@ours.example"]


async def test_a_workspace_whose_admin_cannot_be_kept_is_not_kept_either(store: Store) -> None:
    async with database_of(store).write() as connection:
        await connection.execute(text("ALTER TABLE audit_events RENAME TO away"))
    with pytest.raises(DBAPIError):
        await store.accounts.members.found_workspace(
            store.accounts.workspaces.plan("ours", "Ours"), "ada@ours.example", "Ada", PASSWORD
        )
    assert "ours" not in [workspace.id for workspace in await store.accounts.workspaces.all()]
