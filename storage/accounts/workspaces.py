"""Workspaces, the tenants, and the settings that their admins change."""

import re

from pydantic import ValidationError
from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.database.engine import Database
from storage.database.tables import workspaces
from storage.errors import ConflictError, InvalidError, NotFoundError
from storage.records import Member, Workspace, WorkspaceSettings
from storage.settings import Settings

WORKSPACE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Workspaces:
    """Creates workspaces and keeps what their admins set."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def default_settings(self) -> WorkspaceSettings:
        """What a new workspace starts with: the `autopilot` section of config.yaml."""
        autopilot = self._settings.autopilot
        return WorkspaceSettings(
            mode=autopilot.mode,
            threshold=autopilot.threshold,
            target_error=autopilot.target_error,
            audit_rate=autopilot.audit_rate,
            max_bot_turns=autopilot.max_bot_turns,
            hold_intents=autopilot.hold_intents,
            hold_priorities=autopilot.hold_priorities,
        )

    async def create(self, workspace_id: str, name: str) -> Workspace:
        """A new workspace; ConflictError if the id is taken, InvalidError if it is no slug."""
        workspace = self.plan(workspace_id, name)
        async with self._database.write() as connection:
            await insert_workspace(connection, workspace)
        return workspace

    def plan(self, workspace_id: str, name: str) -> Workspace:
        """A workspace with the settings that a new one gets, not kept yet; InvalidError if the id is no slug."""
        if not WORKSPACE_ID.fullmatch(workspace_id):
            raise InvalidError("A workspace's id has 1 to 63 lower-case letters, digits and inner hyphens.")
        return Workspace(workspace_id, name or workspace_id, self.default_settings(), clock.now())

    async def read(self, workspace_id: str) -> Workspace:
        """One workspace; NotFoundError if there is none."""
        async with self._database.read() as connection:
            query = select(workspaces).where(workspaces.c.id == workspace_id)
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise NotFoundError(f"There is no workspace `{workspace_id}`.")
        return _workspace_of(row)

    async def all(self) -> list[Workspace]:
        """Every workspace, by id."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(workspaces).order_by(workspaces.c.id))).mappings()
            return [_workspace_of(row) for row in rows]

    async def change_settings(self, member: Member, **changes: object) -> WorkspaceSettings:
        """Set some of the workspace's settings; InvalidError names the first that cannot be."""
        async with self._database.write() as connection:
            query = select(workspaces.c.settings).where(workspaces.c.id == member.workspace_id).with_for_update()
            current = (await connection.execute(query)).scalar_one()
            try:
                settings = WorkspaceSettings.model_validate({**current, **changes})
            except ValidationError as error:
                first = error.errors()[0]
                raise InvalidError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
            values = settings.model_dump(mode="json")
            await connection.execute(
                update(workspaces).where(workspaces.c.id == member.workspace_id).values(settings=values)
            )
            await audit.record(
                connection, "settings.changed", member.workspace_id, member_id=member.id, data={"keys": sorted(changes)}
            )
        return settings


async def insert_workspace(connection: AsyncConnection, workspace: Workspace) -> None:
    """Add a new workspace; ConflictError if its id is taken."""
    values = {"id": workspace.id, "name": workspace.name, "created_at": workspace.created_at}
    try:
        await connection.execute(
            insert(workspaces).values(**values, settings=workspace.settings.model_dump(mode="json"))
        )
    except IntegrityError as error:
        raise ConflictError(f"There is already a workspace `{workspace.id}`.") from error


def _workspace_of(row: RowMapping) -> Workspace:
    return Workspace(row["id"], row["name"], WorkspaceSettings.model_validate(row["settings"]), row["created_at"])
