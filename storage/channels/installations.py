"""Installations: which workspace a Slack team or Discord guild belongs to, and the tokens for it."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import RowMapping, delete, select

from storage import audit, clock
from storage.accounts.deployment import read_home_workspace
from storage.channels.encryption import SecretBox
from storage.database.engine import Database
from storage.database.tables import installations, places
from storage.database.upsert import insert_into
from storage.errors import ConflictError, NotFoundError, UnboundTeamError
from storage.records import ChannelName, Installation, new_id


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
        """The workspace that a team or guild is bound to, else that of the deployment's own token.

        That one is configured, else the home workspace. Nothing is guessed: raises UnboundTeamError without either.
        """
        found = await self.find_workspace(channel, team)
        if found is None:
            raise UnboundTeamError
        return found

    async def find_workspace(self, channel: ChannelName, team: str = "") -> str | None:
        """The same; None instead of the error."""
        mine = (installations.c.channel == channel) & (installations.c.team == team)
        async with self._database.read() as connection:
            installed: str | None = await connection.scalar(select(installations.c.workspace_id).where(mine))
            if installed:
                return installed
            if configured := self._own_workspaces.get(channel):
                return configured
            return await read_home_workspace(connection)

    async def bind(self, workspace_id: str, channel: ChannelName, team: str, name: str = "") -> None:
        """Give a team or guild to a workspace; what others have set up in its channels goes.

        Raises ConflictError while it is bound to another workspace: that one's admins let go of it first.
        """
        found = await self.find(channel, team)
        if found is None or found.workspace_id != workspace_id:
            await self.keep(Installation(workspace_id, channel, team, name=name))
        in_team = (places.c.channel == channel) & (places.c.team == team)
        async with self._database.write() as connection:
            await connection.execute(delete(places).where(in_team, places.c.workspace_id != workspace_id))

    async def unbind(self, workspace_id: str, channel: ChannelName, team: str) -> None:
        """Let go of a team or guild, with its places. Raises NotFoundError if it is not this workspace's."""
        mine = (
            (installations.c.workspace_id == workspace_id)
            & (installations.c.channel == channel)
            & (installations.c.team == team)
        )
        in_team = (places.c.workspace_id == workspace_id) & (places.c.channel == channel) & (places.c.team == team)
        async with self._database.write() as connection:
            if not (await connection.execute(delete(installations).where(mine))).rowcount:
                raise NotFoundError(f"{team} is not bound to `{workspace_id}`.")
            await connection.execute(delete(places).where(in_team))
            await audit.record(
                connection, "installation.unbound", workspace_id, data={"channel": channel, "team": team}
            )

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
