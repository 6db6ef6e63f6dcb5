"""Which workspace a Slack team or Discord guild belongs to, and the tokens for it."""

from dataclasses import replace

from sqlalchemy import RowMapping, delete, select

from storage import audit, clock
from storage.channels.encryption import SecretBox
from storage.database.engine import Database
from storage.database.tables import installations
from storage.database.upsert import insert_into
from storage.errors import ConflictError
from storage.records import ChannelName, Installation, new_id


class Installations:
    """Keeps installations; their secrets are sealed in the rows."""

    def __init__(self, database: Database, seal: SecretBox) -> None:
        self._database = database
        self._seal = seal

    async def keep(self, installation: Installation) -> None:
        """Add an installation or renew its tokens; ConflictError if the team belongs to another workspace."""
        values = {
            "enterprise": installation.enterprise,
            "name": installation.name[:200],
            "bot_user": installation.bot_user,
            "encrypted_secrets": self._seal.seal(installation.secrets) if installation.secrets else "",
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
        return self._installation_of(row) if row else None

    async def all(self, channel: ChannelName, workspace_id: str | None = None) -> list[Installation]:
        """The installations of a channel, of one workspace or all."""
        query = select(installations).where(installations.c.channel == channel).order_by(installations.c.created_at)
        if workspace_id is not None:
            query = query.where(installations.c.workspace_id == workspace_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [self._installation_of(row) for row in rows]

    async def listed(self, workspace_id: str) -> list[Installation]:
        """What belongs to a workspace, without the secrets: to be shown."""
        query = select(installations).where(installations.c.workspace_id == workspace_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(installations.c.created_at))).mappings().all()
        return [_bare(row) for row in rows]

    async def forget(self, channel: ChannelName, team: str) -> None:
        """The app was removed: its tokens are worth nothing any more."""
        mine = (installations.c.channel == channel) & (installations.c.team == team)
        async with self._database.write() as connection:
            await connection.execute(delete(installations).where(mine))

    def _installation_of(self, row: RowMapping) -> Installation:
        bare, encrypted = _bare(row), row["encrypted_secrets"]
        return replace(bare, secrets=self._seal.open(encrypted)) if encrypted else bare


def _bare(row: RowMapping) -> Installation:
    return Installation(
        workspace_id=row["workspace_id"],
        channel=row["channel"],
        team=row["team"],
        enterprise=row["enterprise"],
        name=row["name"],
        bot_user=row["bot_user"],
    )
