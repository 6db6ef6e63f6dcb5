"""What the simulated Discord keeps, in the shapes of its resources, and what happens there as gateway events.

Sources: https://docs.discord.com/developers/resources/channel , …/resources/message , …/resources/guild ,
…/reference#snowflakes .
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Payload = dict[str, Any]
Happened = Callable[[str, Payload], None]

EPOCH_MS = 1420070400000
"""A snowflake counts milliseconds from here, in its upper 42 bits."""
TEXT, DIRECT, PUBLIC_THREAD, PRIVATE_THREAD, FORUM = 0, 1, 11, 12, 15
THREADS = (PUBLIC_THREAD, PRIVATE_THREAD)
DEFAULT, CHANNEL_NAME_CHANGE, REPLY, THREAD_STARTER = 0, 4, 19, 21
EPHEMERAL = 1 << 6
ALL_PERMISSIONS = str((1 << 50) - 1)


class Snowflakes:
    """Ids that tell their time and strictly rise."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> str:
        """A fresh id."""
        self._last = max(self._last + 1, (int(time.time() * 1000) - EPOCH_MS) << 22)
        return str(self._last)


@dataclass
class Guild:
    """A server: who is in it with which roles."""

    id: str
    name: str
    roles: dict[str, str] = field(default_factory=dict)
    """Role name to role id."""
    members: dict[str, list[str]] = field(default_factory=dict)
    """User id to role ids."""


class World:
    """Users, guilds, channels and messages; whoever listens is told each event with its data."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.snowflakes = Snowflakes()
        self.users: dict[str, Payload] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Payload] = {}
        self.messages: dict[str, dict[str, Payload]] = {}
        """Channel id to its messages by id, oldest first."""
        self.thread_members: dict[str, set[str]] = {}
        self.listeners: list[Happened] = []
        self.closed_to_direct: set[str] = set()
        """Users who take no direct messages."""
        self.bot = self.add_user("deskhand", bot=True)
        self.application_id = str(self.bot["id"])

    def add_user(self, name: str, *, bot: bool = False) -> Payload:
        """A new user."""
        id_ = self.snowflakes.next()
        user = {"id": id_, "username": name, "global_name": name.title(), "avatar": None}
        self.users[id_] = {**user, "discriminator": "0", "bot": bot, "public_flags": 0}
        return self.users[id_]

    def add_guild(self, name: str, roles: Iterable[str] = ()) -> Guild:
        """A server with the bot in it."""
        guild = Guild(self.snowflakes.next(), name)
        guild.roles = {role: self.snowflakes.next() for role in roles}
        guild.members[self.bot["id"]] = []
        self.guilds[guild.id] = guild
        return guild

    def add_channel(self, guild: Guild, name: str, kind: int = TEXT, tags: Iterable[str] = ()) -> Payload:
        """A text or forum channel."""
        common: Payload = {"moderated": False, "emoji_id": None, "emoji_name": None}
        available = [{**common, "id": self.snowflakes.next(), "name": tag} for tag in tags]
        channel = {
            "id": self.snowflakes.next(),
            "type": kind,
            "guild_id": guild.id,
            "name": name,
            "position": len(self.channels),
            "permission_overwrites": [],
            "parent_id": None,
            "nsfw": False,
            "topic": None,
            "rate_limit_per_user": 0,
            "last_message_id": None,
            "flags": 0,
        }
        if kind == FORUM:
            channel |= {"available_tags": available, "default_sort_order": None, "default_forum_layout": 0}
        return self._keep_channel(channel)

    def direct_channel(self, user_id: str) -> Payload:
        """The direct messages with a user, opened when they are first needed."""
        for channel in self.channels.values():
            if channel["type"] == DIRECT and channel["recipients"][0]["id"] == user_id:
                return channel
        user = self.users[user_id]
        return self._keep_channel(
            {"id": self.snowflakes.next(), "type": DIRECT, "recipients": [user], "last_message_id": None, "flags": 0}
        )

    def add_thread(
        self, parent: Payload, owner_id: str, name: str, *, thread_id: str = "", kind: int = PUBLIC_THREAD
    ) -> Payload:
        """A thread or forum post; THREAD_CREATE is dispatched by `announce_thread`."""
        now = datetime.now(UTC).isoformat()
        thread = {
            "id": thread_id or self.snowflakes.next(),
            "type": kind,
            "guild_id": parent["guild_id"],
            "parent_id": parent["id"],
            "owner_id": owner_id,
            "name": name,
            "last_message_id": None,
            "message_count": 0,
            "total_message_sent": 0,
            "member_count": 1,
            "rate_limit_per_user": 0,
            "flags": 0,
            "applied_tags": [],
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": now,
                "create_timestamp": now,
                "locked": False,
            },
        }
        self.thread_members[thread["id"]] = {owner_id}
        return self._keep_channel(thread)

    def announce_thread(self, thread: Payload) -> None:
        """Tell the listeners of a new thread."""
        self.happened("THREAD_CREATE", {**thread, "newly_created": True})

    def change_channel(self, channel_id: str, changes: Payload) -> Payload:
        """Change a channel or thread."""
        channel = self.channels[channel_id]
        for key in ("archived", "locked", "auto_archive_duration"):
            if key in changes:
                channel["thread_metadata"][key] = changes.pop(key)
        channel.update(changes)
        self.happened("THREAD_UPDATE" if channel["type"] in THREADS else "CHANNEL_UPDATE", channel)
        return channel

    def add_message(self, channel_id: str, author_id: str, content: str, **fields: Any) -> Payload:
        """A new message; MESSAGE_CREATE is dispatched. A nonce is in the answer and the event, not in what is kept."""
        channel = self.channels[channel_id]
        nonce = {"nonce": fields.pop("nonce")} if "nonce" in fields else {}
        message = {
            "id": fields.pop("id", None) or self.snowflakes.next(),
            "channel_id": channel_id,
            "author": self.users[author_id],
            "content": content,
            "timestamp": datetime.now(UTC).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [user for user in self.users.values() if f"<@{user['id']}>" in content],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
            "pinned": False,
            "flags": 0,
            "type": DEFAULT,
            **fields,
        }
        self.messages[channel_id][message["id"]] = message
        channel["last_message_id"] = message["id"]
        self._wake(channel)
        self.happened("MESSAGE_CREATE", {**self.message_event(message), **nonce})
        return {**message, **nonce}

    def change_message(self, channel_id: str, message_id: str, changes: Payload) -> Payload:
        """Edit a message; MESSAGE_UPDATE is dispatched."""
        message = self.messages[channel_id][message_id]
        message.update(changes, edited_timestamp=datetime.now(UTC).isoformat())
        self.happened("MESSAGE_UPDATE", self.message_event(message))
        return message

    def remove_message(self, channel_id: str, message_id: str) -> None:
        """Delete a message; MESSAGE_DELETE is dispatched."""
        message = self.messages[channel_id].pop(message_id)
        event = {"id": message_id, "channel_id": channel_id, **self._guild_part(message)}
        self.happened("MESSAGE_DELETE", event)

    def message_event(self, message: Payload) -> Payload:
        """A message as the gateway shows it: with the guild and the author's membership."""
        part = self._guild_part(message)
        member = self.member(part["guild_id"], message["author"]["id"]) if part else None
        return {**message, **part, **({"member": member} if member else {}), "channel_type": self._kind(message)}

    def member(self, guild_id: str, user_id: str) -> Payload | None:
        """A user's membership without the user; None for somebody who left."""
        roles = self.guilds[guild_id].members.get(user_id)
        if roles is None:
            return None
        joined = "2024-01-01T00:00:00+00:00"
        return {"roles": roles, "joined_at": joined, "deaf": False, "mute": False, "flags": 0, "nick": None}

    def guild_event(self, guild: Guild) -> Payload:
        """GUILD_CREATE: channels and active threads, and of the members the bot."""
        mine = [channel for channel in self.channels.values() if channel.get("guild_id") == guild.id]
        # Where Discord itself greets: the first text channel, unless somebody chose another.
        system = next((channel["id"] for channel in mine if channel["type"] == TEXT), None)
        everyone = {"id": guild.id, "name": "@everyone", "position": 0, "permissions": ALL_PERMISSIONS}
        roles = [{"id": id_, "name": name, "position": 1, "permissions": "0"} for name, id_ in guild.roles.items()]
        common = {"color": 0, "hoist": False, "managed": False, "mentionable": False, "flags": 0, "colors": COLOURS}
        return {
            "id": guild.id,
            "name": guild.name,
            "owner_id": guild.id,
            "system_channel_id": system,
            "roles": [{**common, **role} for role in (everyone, *roles)],
            "emojis": [],
            "features": ["COMMUNITY"],
            "member_count": len(guild.members),
            "members": [{**(self.member(guild.id, self.bot["id"]) or {}), "user": self.bot}],
            "channels": [channel for channel in mine if channel["type"] not in THREADS],
            "threads": [channel for channel in mine if channel["type"] in THREADS and not archived(channel)],
            "presences": [],
            "voice_states": [],
            "large": False,
            "unavailable": False,
        }

    def happened(self, event: str, data: Payload) -> None:
        """Tell every listener."""
        for listener in self.listeners:
            listener(event, data)

    def _keep_channel(self, channel: Payload) -> Payload:
        self.channels[channel["id"]] = channel
        self.messages[channel["id"]] = {}
        return channel

    def _wake(self, channel: Payload) -> None:
        """A message in an archived thread opens it again: …/topics/threads#active--archived-threads ."""
        if channel["type"] in THREADS:
            channel["message_count"] += 1
            channel["thread_metadata"]["archived"] = False

    def _kind(self, message: Payload) -> int:
        return int(self.channels[message["channel_id"]]["type"])

    def _guild_part(self, message: Payload) -> Payload:
        guild_id = self.channels[message["channel_id"]].get("guild_id")
        return {"guild_id": guild_id} if guild_id else {}


COLOURS = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}


def archived(thread: Payload) -> bool:
    """Whether a thread is out of the active ones."""
    return bool(thread["thread_metadata"]["archived"])
