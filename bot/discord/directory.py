"""Directory: which workspace a Discord server belongs to, who is staff there, and which are support channels."""

import secrets
from dataclasses import replace

import discord
import structlog

from storage.errors import ConflictError
from storage.records import Member, Mode, Place, Role
from storage.settings import DiscordSettings
from storage.store import Store

DiscordUser = discord.User | discord.Member
UNBOUND = (
    "This server does not belong to a workspace yet, so I answer nothing here. Who runs the desk binds it: "
    "`deskhand channel bind discord {} --workspace …`."
)
LOOK_BACK = 50
"""Messages that are searched for the sentence, so that it is said once."""
log = structlog.get_logger(__name__)


class Directory:
    """Answers from the rows, with the defaults of config.yaml."""

    def __init__(self, store: Store, settings: DiscordSettings) -> None:
        self._store = store
        self._settings = settings

    async def workspace_of(self, guild_id: int | None) -> str:
        """The workspace of a guild, or of direct messages (None). Raises UnboundTeamError."""
        return await self._store.channels.installations.workspace_of("discord", _team_of(guild_id))

    async def find_workspace(self, guild_id: int | None) -> str | None:
        """The same; None for one that belongs to nobody."""
        return await self._store.channels.installations.find_workspace("discord", _team_of(guild_id))

    @property
    def has_staff_roles(self) -> bool:
        """Whether a role makes its holders staff."""
        return bool(self._settings.staff_roles)

    async def staff_member(self, workspace_id: str, user: DiscordUser) -> Member | None:
        """The member who this user is: linked by an admin, or by a staff role; None for everybody else."""
        if user.bot:
            return None
        if member := await self._store.channels.identities.member(workspace_id, "discord", str(user.id)):
            return member
        return await self._enrol(workspace_id, user) if self._has_staff_role(user) else None

    async def is_support_channel(self, workspace_id: str, channel_id: int) -> bool:
        """Whether this is a support channel: every message there is for the desk. In mode `off` mentions only are."""
        place = await self._store.channels.places.find(workspace_id, "discord", str(channel_id))
        if channel_id in self._settings.support_channels and (place is None or place.mode is None):
            return True
        return place is not None and place.mode not in (None, Mode.OFF)

    async def register_staff_places(self, guild: discord.Guild) -> None:
        """Make the staff channels of config.yaml places where cards are posted."""
        workspace_id = await self.workspace_of(guild.id)
        for channel_id in self._settings.staff_channels:
            channel = guild.get_channel(channel_id)
            known = await self._store.channels.places.find(workspace_id, "discord", str(channel_id))
            if channel is not None and (known is None or not known.is_staff):
                fresh = Place(workspace_id, "discord", str(guild.id), str(channel_id), channel.name)
                await self._store.channels.places.keep(replace(known or fresh, is_staff=True))

    async def tell_unbound(self, guild: discord.Guild) -> None:
        """One sentence for who added the bot to a server that nobody has bound; once, and nothing else is said."""
        channel = guild.system_channel
        if channel is None or not channel.permissions_for(guild.me).send_messages:
            log.warning("server belongs to no workspace", guild=guild.id)
            return
        async for message in channel.history(limit=LOOK_BACK):
            if message.author.id == guild.me.id and message.content == UNBOUND.format(guild.id):
                return
        await channel.send(UNBOUND.format(guild.id))

    def _has_staff_role(self, user: DiscordUser) -> bool:
        return isinstance(user, discord.Member) and any(map(user.get_role, self._settings.staff_roles))

    async def _enrol(self, workspace_id: str, user: DiscordUser) -> Member:
        """An agent for somebody whose role says so; nobody knows the password, so it opens no login."""
        # `.example` is nobody's (RFC 2606), and an admin sees at once where this member comes from.
        email = f"{user.id}@discord.example"
        try:
            member = await self._store.accounts.members.add(
                workspace_id, email, user.display_name, Role.AGENT, secrets.token_urlsafe(32)
            )
        except ConflictError:
            member = next(one for one in await self._store.accounts.members.all(workspace_id) if one.email == email)
        await self._store.channels.identities.link(workspace_id, member.id, "discord", str(user.id))
        return member


def _team_of(guild_id: int | None) -> str:
    return "" if guild_id is None else str(guild_id)
