"""Routing of direct messages: whose they are, when somebody shares servers with several teams."""

from collections.abc import Sequence
from datetime import timedelta

import discord
import structlog

from bot.discord.connection.client import DeskClient
from bot.discord.directory import Directory
from bot.discord.interactions import ButtonInteraction
from bot.discord.replies.rendering import nonce_of
from bot.discord.team_choice import choice_ids, choice_view
from storage.clock import now
from storage.errors import UnboundTeamError
from storage.records import LIVE_STATUSES, Conversation, ConversationStatus, Installation
from storage.store import Store

log = structlog.get_logger(__name__)

WHICH_TEAM = "You share servers with more than one team. Which one is this for?"
TEAM_GONE = "None of these teams is here any more."
MAX_SERVERS = 50
"""Servers that are looked through for one person."""
DIRECT_HISTORY_LIMIT = 50
"""Direct messages that are searched for a question that still waits for its answer."""
CONTINUES_FOR = timedelta(days=1)
"""How long a settled matter stays the one that somebody writes about."""


class DirectMessageRouter:
    """Finds the workspace of direct messages: by the conversation there is, by the shared servers, or by asking."""

    def __init__(self, client: DeskClient, store: Store, directory: Directory) -> None:
        self._client = client
        self._store = store
        self._directory = directory

    async def workspaces(self) -> tuple[str, ...]:
        """The workspaces that have servers, else the one of direct messages; none if nobody has bound anything."""
        of_servers = dict.fromkeys(server.workspace_id for server in await self._servers())
        return tuple(of_servers) or await self._workspace_or_none(None)

    async def workspace_of(self, user_id: int, channel_id: int) -> str | None:
        """The workspace of these direct messages; None: there are several, and the person has to say which.

        Raises UnboundTeamError if there is none at all.
        """
        workspaces = await self.workspaces()
        if not workspaces:
            raise UnboundTeamError
        if len(workspaces) == 1:
            return workspaces[0]
        if conversation := await self.current_conversation(channel_id):
            return conversation.workspace_id
        shared = await self.shared_teams(user_id)
        return next(iter(shared), workspaces[0]) if len(shared) <= 1 else None

    async def current_conversation(self, channel_id: int) -> Conversation | None:
        """The matter that these direct messages are about, of whichever team."""
        found = await self._store.conversations.threads.newest(await self.workspaces(), "discord", str(channel_id))
        if found is None or found.status in LIVE_STATUSES:
            return found
        settled = found.status is ConversationStatus.RESOLVED and now() - found.updated_at < CONTINUES_FOR
        return found if settled else None

    async def workspaces_of(self, guild_id: int | None) -> tuple[str, ...]:
        """The workspaces that something in this server may belong to, or in direct messages (None)."""
        return await self.workspaces() if guild_id is None else await self._workspace_or_none(guild_id)

    async def shared_teams(self, user_id: int) -> dict[str, str]:
        """The teams that this person shares a server with: workspace to the server's name."""
        found: dict[str, str] = {}
        for server in (await self._servers())[:MAX_SERVERS]:
            if server.workspace_id not in found and await self._is_member(int(server.team), user_id):
                found[server.workspace_id] = await self._name_of(server)
        return found

    async def ask_team(self, message: discord.Message) -> None:
        """Ask which team it is for, once: until it is answered nothing more is said, whatever they write."""
        if await self._is_asked(message.channel):
            return
        shared = await self.shared_teams(message.author.id)
        view = choice_view(message.id, list(shared.items()))
        await message.channel.send(WHICH_TEAM, view=view, nonce=nonce_of(f"which team/{message.id}"))

    async def messages_since(self, interaction: ButtonInteraction, message_id: int) -> Sequence[discord.Message]:
        """What the person wrote from the message on that brought the question up."""
        channel = self._client.get_partial_messageable(interaction.channel_id or 0)
        first = discord.Object(message_id - 1)
        found = [
            message async for message in channel.history(after=first, limit=DIRECT_HISTORY_LIMIT, oldest_first=True)
        ]
        return [message for message in found if message.author.id == interaction.user.id]

    async def _is_asked(self, channel: discord.abc.Messageable) -> bool:
        async for message in channel.history(limit=DIRECT_HISTORY_LIMIT):
            if message.author.id == self._client.me.id and choice_ids(message):
                return True
        return False

    async def _is_member(self, guild_id: int, user_id: int) -> bool:
        try:
            await self._client.http.get_member(guild_id, user_id)
        except (discord.NotFound, discord.Forbidden):
            return False
        return True

    async def _servers(self) -> list[Installation]:
        """Every server of the desk's with its workspace: those that admins named, and the others of this process."""
        named = await self._store.channels.installations.all("discord")
        known = {server.team for server in named}
        others = [guild for guild in self._client.guilds if str(guild.id) not in known]
        default = await self._workspace_or_none(None) if others else ()
        return named + [
            Installation(workspace_id, "discord", str(guild.id), name=guild.name)
            for workspace_id in default
            for guild in others
        ]

    async def _workspace_or_none(self, guild_id: int | None) -> tuple[str, ...]:
        found = await self._directory.find_workspace(guild_id)
        return () if found is None else (found,)

    async def _name_of(self, server: Installation) -> str:
        """What people call the server; of one in another process what the admin noted."""
        guild = self._client.get_guild(int(server.team))
        if name := guild.name if guild else server.name:
            return name
        return (await self._store.accounts.workspaces.read(server.workspace_id)).name
