"""A whole desk on a simulated Discord: a server with a forum, a text channel and a staff channel, and its people."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.channel_status import ChannelStatusRegistry
from bot.discord.connection.leases import ShardLeases
from bot.discord.opening import open_discord
from commands.process.composition import Process, assemble, working
from graph.checkpoints.opening import open_checkpoints
from graph.state import Deps
from graph.triage.classifier import Classifier
from storage.embeddings.protocol import Embedder
from storage.errors import ConflictError
from storage.opening import migrate_database, open_store
from storage.records import Conversation, Member, Message, Role
from storage.settings import Settings
from storage.store import Store
from tests.simulators.discord.people import Person
from tests.simulators.discord.server import TOKEN, DiscordSimulator
from tests.simulators.discord.world import FORUM, Guild, Payload
from tests.support.faq import FAQ
from tests.support.passwords import PASSWORD
from tests.support.settings import settings_for
from tests.support.waiting import until_true

WAIT_SECONDS = 60.0
Found = TypeVar("Found")


class Server:
    """A Discord server as many have it."""

    def __init__(self, simulator: DiscordSimulator, name: str = "Acme") -> None:
        self.simulator = simulator
        self.guild: Guild = simulator.world.add_guild(name, ["Support"])
        self.forum = simulator.world.add_channel(self.guild, "help", FORUM, ["Solved", "Needs human", "billing"])
        self.general = simulator.world.add_channel(self.guild, "general")
        self.staff_room = simulator.world.add_channel(self.guild, "staff")
        self.ann: Person = simulator.person("ann", self.guild)
        self.carl: Person = simulator.person("carl", self.guild)
        self.sue: Person = simulator.person("sue", self.guild, "Support")
        """Staff by her role."""

    def settings(self, folder: Path, **sections: dict[str, Any]) -> Settings:
        """Settings for a desk on this server."""
        discord = {
            "bot_token": TOKEN,
            "api_url": self.simulator.api_url,
            "staff_roles": [int(self.guild.roles["Support"])],
            "support_channels": [int(self.forum["id"])],
            "staff_channels": [int(self.staff_room["id"])],
        }
        sections = {**sections, "discord": {**discord, **sections.get("discord", {})}}
        return settings_for(folder, "", **sections)


@dataclass(frozen=True)
class DiscordDesk:
    """What a test looks at."""

    simulator: DiscordSimulator
    server: Server
    process: Process
    store: Store
    states: ChannelStatusRegistry
    agent: Member

    async def conversation(self, thread: Payload | str) -> Conversation:
        """The conversation of a thread, once there is one."""
        thread_id = thread if isinstance(thread, str) else str(thread["id"])
        return await found(
            lambda: self.store.conversations.threads.find("demo", "discord", thread_id), f"conversation {thread_id}"
        )

    async def messages(self, thread: Payload | str, *, internal: bool = False) -> list[Message]:
        """What the desk keeps of a thread's conversation."""
        conversation = await self.conversation(thread)
        return await self.store.conversations.messages.of_conversation("demo", conversation.id, internal=internal)

    async def said(self, channel: Payload | str, count: int = 1) -> list[Payload]:
        """The bot's messages in a channel, once there are so many."""
        await until_true(lambda: len(self._said(channel)) >= count, f"{count} messages in {channel}")
        return self._said(channel)

    async def connected(self) -> None:
        """Wait for the connection, and for what follows it."""
        await until_true(lambda: self.states.of("discord").connected_since is not None, "a connection")

    def _said(self, channel: Payload | str) -> list[Payload]:
        known = (channel if isinstance(channel, str) else channel["id"]) in self.simulator.world.messages
        return self.simulator.said_by_bot(channel) if known else []


@asynccontextmanager
async def running_desk(
    server: Server,
    folder: Path,
    embedder: Embedder,
    classifier: Classifier,
    *,
    leases: ShardLeases | None = None,
    knowledge: bytes = FAQ,
    home: bool = True,
    **sections: dict[str, Any],
) -> AsyncIterator[DiscordDesk]:
    """A desk that is connected to the server; the same folder again is the same desk started anew.

    `home`: the workspace `demo` is the home workspace, so servers that are bound to none are its.
    """
    settings = server.settings(folder, **sections)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await migrate_database(settings)
    async with open_store(settings, embedder) as store, open_checkpoints(settings) as checkpoints:
        agent = await _furnish(store, knowledge)
        if home:
            await store.accounts.deployment.choose_home_workspace("demo")
        deps = Deps(settings, store.knowledge.index, classifier, None)
        process = assemble(settings, store, checkpoints, deps, {})
        parts = (settings, store, process.intake, process.desk, process.states)
        async with open_discord(*parts, leases) as channel, working(process):
            if channel is not None:
                process.channels["discord"] = channel
            yield DiscordDesk(server.simulator, server, process, store, process.states, agent)


async def _furnish(store: Store, knowledge: bytes) -> Member:
    """The workspace `demo` with a FAQ and an agent, made once."""
    try:
        await store.accounts.workspaces.create("demo", "Demo")
    except ConflictError:
        return next(member for member in await store.accounts.members.all("demo") if member.name == "Alex Agent")
    document = await store.knowledge.catalogue.create("demo", "faq.csv", knowledge)
    await store.knowledge.catalogue.load_document(document.id)
    return await store.accounts.members.add("demo", "agent@demo.example", "Alex Agent", Role.AGENT, PASSWORD)


async def found(look: Callable[[], Awaitable[Found | None]], what: str, seconds: float = WAIT_SECONDS) -> Found:
    """What an asynchronous look gives, once it gives something."""
    clock = asyncio.get_running_loop().time
    ends = clock() + seconds
    while not (result := await look()):
        assert clock() < ends, f"waited in vain for {what}"
        await asyncio.sleep(0.02)
    return result
