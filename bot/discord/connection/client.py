"""Gateway client: hands Discord's events on, and is the one place that knows how discord.py is pointed at a server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord.interactions import FormInteraction, Interactions
from bot.discord.replies.buttons import ReplyButton
from bot.discord.reviews.card import CardButton
from bot.discord.team_choice import TeamButton
from bot.rate_limit import KeyedThrottle

log = structlog.get_logger(__name__)

MAX_RATE_LIMIT_WAIT = 30.0
"""Seconds that the library waits for a rate limit inside one call (its least); a longer one postpones the delivery."""
GUILD_READY_SECONDS = 0.5
"""How long without another guild until a shard counts as ready; a later guild is announced by itself."""

IDENTIFY_SECONDS = 5.0
"""Between two sessions whose shards have the same number modulo `max_concurrency`:
https://docs.discord.com/developers/events/gateway#sharding-max-concurrency ."""
FINISH_SECONDS = 3.0

OnMessage = Callable[[discord.Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is called when something happens on Discord."""

    message: OnMessage
    edited: Callable[[discord.RawMessageUpdateEvent], Awaitable[None]]
    deleted: Callable[[int | None, int, int], Awaitable[None]]
    """(guild, channel, message)"""
    thread_changed: Callable[[discord.Thread, discord.Thread], Awaitable[None]]
    guild_ready: Callable[[discord.Guild], Awaitable[None]]
    direct_ready: Callable[[], Awaitable[None]]
    """The shard of the direct messages has a fresh session."""
    session: Callable[[int], None]
    """A shard has a fresh session."""
    connected: Callable[[], None]
    disconnected: Callable[[], None]
    failed: Callable[[str], None]


def required_intents() -> discord.Intents:
    """What the desk needs and no more: guilds and threads, messages, direct messages, and what messages say."""
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True)


def use_api_url(api_url: str) -> None:
    """Let discord.py talk to this REST base, https://discord.com/api/v10 by default.

    The library keeps its addresses in class attributes: `Route.BASE`, and the gateway's `DEFAULT_GATEWAY` that it
    falls back to after an invalid session even where `GET /gateway/bot` named another. So a process has one Discord.
    """
    Route.BASE = api_url.rstrip("/")


class DeskClient(discord.AutoShardedClient):
    """Hands what happens to the listeners; its caches hold guilds, channels and active threads, no members."""

    def __init__(self) -> None:
        super().__init__(
            intents=required_intents(),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            max_ratelimit_timeout=MAX_RATE_LIMIT_WAIT,
            guild_ready_timeout=GUILD_READY_SECONDS,
        )
        self.listeners: Listeners | None = None
        self.interactions: Interactions | None = None
        self.add_dynamic_items(ReplyButton, CardButton, TeamButton)
        self._identify_throttle = KeyedThrottle(IDENTIFY_SECONDS)
        self._max_concurrency = 1
        self._handling: set[asyncio.Task[Any]] = set()

    @property
    def me(self) -> discord.ClientUser:
        """The bot's own user; only after the login."""
        if self.user is None:
            raise RuntimeError("not logged in to Discord yet")
        return self.user

    async def find_gateway(self) -> int:
        """Ask where the gateway is and how many shards it wants; gives the number."""
        count, url, limits = await self.http.get_bot_gateway()
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)
        self.shard_count = count
        self._max_concurrency = max(1, limits["max_concurrency"])
        return count

    async def start_shard(self, shard_id: int) -> None:
        """Connect one more shard of a client that is connected already."""
        if self.shard_ids is not None:
            self.shard_ids.append(shard_id)
        await self.launch_shard(DiscordWebSocket.DEFAULT_GATEWAY, shard_id)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG002
        """Start sessions no faster than Discord allows: each rate-limit key has its own row."""
        await self._identify_throttle.wait((shard_id or 0) % self._max_concurrency)

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Something is being handled: `finish` waits for it."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - inside a coroutine there always is one
        self._handling.add(task)
        try:
            yield
        finally:
            self._handling.discard(task)

    async def finish(self) -> None:
        """Take nothing new and let what is being handled end: a query that is cut off leaves its connection behind.

        What Discord tells from now on is read at the next start.
        """
        self.listeners = None
        if self._handling:
            await asyncio.wait(set(self._handling), timeout=FINISH_SECONDS)

    async def _handle(self, work: Awaitable[None]) -> None:
        with self.handling():
            await work

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        if self.listeners:
            await self._handle(self.listeners.message(message))

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Somebody changed a message, or Discord added a link's preview to it."""
        if self.listeners:
            await self._handle(self.listeners.edited(event))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A message is gone."""
        if self.listeners:
            await self._handle(self.listeners.deleted(event.guild_id, event.channel_id, event.message_id))

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Many messages are gone."""
        for message_id in sorted(event.message_ids):
            if self.listeners:
                await self._handle(self.listeners.deleted(event.guild_id, event.channel_id, message_id))

    async def on_thread_update(self, before: discord.Thread, after: discord.Thread) -> None:
        """A thread's tags or state changed."""
        if self.listeners:
            await self._handle(self.listeners.thread_changed(before, after))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A fresh session knows a guild: what happened before it is not replayed."""
        if self.listeners:
            await self._handle(self.listeners.guild_ready(guild))

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """The bot was added to a guild, or a guild came late."""
        await self.on_guild_available(guild)

    async def on_interaction(self, interaction: FormInteraction) -> None:
        """A form was sent; commands and buttons are dispatched by the library."""
        if self.listeners and self.interactions and interaction.type is discord.InteractionType.modal_submit:
            await self._handle(self.interactions.form(interaction))

    async def on_shard_connect(self, shard_id: int) -> None:
        """A shard has a fresh session."""
        if self.listeners:
            self.listeners.session(shard_id)
            self.listeners.connected()
            if shard_id == 0:
                await self._handle(self.listeners.direct_ready())

    async def on_shard_resumed(self, shard_id: int) -> None:  # noqa: ARG002
        """A shard goes on; Discord has replayed what it missed."""
        if self.listeners:
            self.listeners.connected()

    async def on_shard_disconnect(self, shard_id: int) -> None:  # noqa: ARG002
        """A shard's connection ended; the library connects again."""
        if self.listeners:
            self.listeners.disconnected()

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """The outermost edge of every event: whatever went wrong is logged, and the workbench says so."""
        log.error("discord event failed", discord_event=event_method, exc_info=True)  # noqa: LOG014 - the library calls it in its except
        if self.listeners:
            event = event_method.removeprefix("on_").replace("_", " ")
            self.listeners.failed(f"A {event} event could not be handled; see the log")
