"""Installations: which workspace a Slack team or Discord guild belongs to, and the tokens for it."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import RowMapping, delete, select

from storage import audit, clock
from storage.channels.encryption import SecretBox
from storage.database.engine import Database
from storage.database.tables import installations, workspaces
from storage.database.upsert import insert_into
from storage.errors import ConflictError
from storage.records import ChannelName, Installation, new_id

DEMO_WORKSPACE = "demo"


class Installations:
    """Keeps installations; their secrets are encrypted in the rows.

    `own_workspaces`: whose the deployment's own token of a channel is, where the configuration says so.
    """

    def __init__(
        self, database: Database, box: SecretBox, own_workspaces: Mapping[ChannelName, str] | None = None
    ) -> None:
        self._database = database
        self._box = box
        self._own_workspaces = own_workspaces or {}

    async def keep(self, installation: Installation) -> None:
        """Add an installation or renew its tokens; ConflictError if the team belongs to another workspace."""
        values = {
            "enterprise": installation.enterprise,
            "name": installation.name[:200],
            "bot_user": installation.bot_user,
            "encrypted_secrets": self._box.seal(installation.secrets) if installation.secrets else "",
        }
        async with self._database.write() as connection:
            row = insert_into(connection, installations).values(
                id=new_id(),
                workspace_id=installation.workspace_id,
                channel=installation.channel,
                team=installation.team,
                created_at=clock.now(),
                **values,
            )
            # An update of the other workspace's row would hand over its customers: the WHERE forbids it.
            kept = row.on_conflict_do_update(
                index_elements=["channel", "team"],
                set_=values,
                where=installations.c.workspace_id == installation.workspace_id,
            ).returning(installations.c.id)
            if (await connection.execute(kept)).first() is None:
                raise ConflictError(f"{installation.name or installation.team} belongs to another workspace already.")
            await audit.record(
                connection,
                "installation.kept",
                installation.workspace_id,
                data={"channel": installation.channel, "team": installation.team},
            )

    async def find(self, channel: ChannelName, team: str) -> Installation | None:
        """The installation of a team or guild."""
        query = select(installations).where(installations.c.channel == channel, installations.c.team == team)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return self._with_secrets(row) if row else None

    async def all(self, channel: ChannelName, workspace_id: str | None = None) -> list[Installation]:
        """The installations of a channel, of one workspace or all."""
        query = select(installations).where(installations.c.channel == channel).order_by(installations.c.created_at)
        if workspace_id is not None:
            query = query.where(installations.c.workspace_id == workspace_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [self._with_secrets(row) for row in rows]

    async def without_secrets(self, workspace_id: str) -> list[Installation]:
        """What belongs to a workspace, without the secrets: to be shown."""
        query = select(installations).where(installations.c.workspace_id == workspace_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(installations.c.created_at))).mappings().all()
        return [_without_secrets(row) for row in rows]

    async def workspace_of(self, channel: ChannelName, team: str = "") -> str:
        """The workspace that a team or guild belongs to: that of whoever added it, else that of our own token.

        Without a team that of our own token: as configured, else the only workspace there is, else `demo`.
        """
        mine = (installations.c.channel == channel) & (installations.c.team == team)
        async with self._database.read() as connection:
            installed: str | None = await connection.scalar(select(installations.c.workspace_id).where(mine))
            if installed:
                return installed
            if configured := self._own_workspaces.get(channel):
                return configured
            ids = (await connection.execute(select(workspaces.c.id).limit(2))).scalars().all()
        return str(ids[0]) if len(ids) == 1 else DEMO_WORKSPACE

    async def forget(self, channel: ChannelName, team: str) -> None:
        """The app was removed: its tokens are worth nothing any more."""
        mine = (installations.c.channel == channel) & (installations.c.team == team)
        async with self._database.write() as connection:
            await connection.execute(delete(installations).where(mine))

    def _with_secrets(self, row: RowMapping) -> Installation:
        bare, encrypted = _without_secrets(row), row["encrypted_secrets"]
        return replace(bare, secrets=self._box.open(encrypted)) if encrypted else bare


def _without_secrets(row: RowMapping) -> Installation:
    return Installation(
        workspace_id=row["workspace_id"],
        channel=row["channel"],
        team=row["team"],
        enterprise=row["enterprise"],
        name=row["name"],
        bot_user=row["bot_user"],
    )
