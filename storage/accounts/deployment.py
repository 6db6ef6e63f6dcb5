"""Deployment-wide decisions in rows: the home workspace, and who may found another one."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.database.engine import Database
from storage.database.tables import deployment, members, workspaces
from storage.database.upsert import insert_into
from storage.errors import NotFoundError, RegistrationClosedError
from storage.records import Role

HOME_WORKSPACE = "home_workspace"
SETUP_LOCK = "setup_lock"
"""The row that whoever sets the desk up holds meanwhile."""
ALREADY_SET_UP = "This desk is set up already; whoever runs it invites you."


class Deployment:
    """What holds for every workspace and process. Nothing here is guessed: it was said, or it is not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def home_workspace(self) -> str | None:
        """Whose `/chat` is, and what the deployment's own platform tokens are for; None: nobody has said so yet."""
        async with self._database.read() as connection:
            return await read_home_workspace(connection)

    async def choose_home_workspace(self, workspace_id: str) -> None:
        """Make this the home workspace; NotFoundError if there is none of this id."""
        async with self._database.write() as connection:
            found = await connection.scalar(select(workspaces.c.id).where(workspaces.c.id == workspace_id))
            if found is None:
                raise NotFoundError(f"There is no workspace `{workspace_id}`.")
            await put_home_workspace(connection, workspace_id)

    async def has_admin(self) -> bool:
        """Whether anybody at all is an admin: if not, the desk is not set up."""
        async with self._database.read() as connection:
            return await is_set_up(connection)


async def claim_setup(connection: AsyncConnection, *, only_first: bool) -> bool:
    """Whether this transaction sets the desk up: there is no admin yet.

    Of two at once the second waits for the first one's row. Raises RegistrationClosedError if it comes too late and
    only the first one may.
    """
    await _put(connection, SETUP_LOCK, "")
    taken = await is_set_up(connection)
    if taken and only_first:
        raise RegistrationClosedError(ALREADY_SET_UP)
    return not taken


async def is_set_up(connection: AsyncConnection) -> bool:
    """Whether there is an admin."""
    admin = exists().where(members.c.role == Role.ADMIN, members.c.removed_at.is_(None))
    return bool(await connection.scalar(select(admin)))


async def read_home_workspace(connection: AsyncConnection) -> str | None:
    """The home workspace's id, if one was chosen."""
    query = select(deployment.c.value).where(deployment.c.key == HOME_WORKSPACE)
    value: str | None = await connection.scalar(query)
    return value


async def put_home_workspace(connection: AsyncConnection, workspace_id: str) -> None:
    """Keep the choice, with the event in the workspace's own trail."""
    await _put(connection, HOME_WORKSPACE, workspace_id)
    await audit.record(connection, "workspace.made-home", workspace_id)


async def _put(connection: AsyncConnection, key: str, value: str) -> None:
    values = {"value": value, "changed_at": clock.now()}
    row = insert_into(connection, deployment).values(key=key, **values)
    await connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=values))
