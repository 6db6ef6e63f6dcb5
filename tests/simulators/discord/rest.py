"""The simulated REST interface v10: what a bot may ask and do.

Sources: https://docs.discord.com/developers/reference , …/resources/channel , …/resources/message ,
…/interactions/application-commands , …/topics/opcodes-and-status-codes#json .
"""

import json
import time

from aiohttp import web

from tests.simulators.discord.answers import as_json
from tests.simulators.discord.world import (
    DIRECT,
    FORUM,
    PRIVATE_THREAD,
    REPLY,
    THREADS,
    Payload,
    World,
    archived,
)

MAX_CONTENT, MAX_EMBEDS, MAX_NONCE, MAX_NAME = 2000, 6000, 25, 100
CHANGEABLE = ("content", "embeds", "components")
NONCE_SECONDS = 180.0
""" "The past few minutes" of enforce_nonce."""


class RefusedError(Exception):
    """Discord's error answer: a status, a code and words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


class Rest:
    """The routes about channels, messages, threads and commands."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.commands: list[Payload] = []
        self.typing: list[tuple[str, float]] = []
        """(channel, monotonic time) of every typing indicator."""
        self.forbidden: set[str] = set()
        """Channels that the bot may not write to."""
        self.nonce_seconds = NONCE_SECONDS
        self.shards = 1
        self.gateway_url = ""
        self._nonces: dict[str, tuple[float, str, str]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Relative to the interface's base."""
        one = "/channels/{channel}"
        message = one + "/messages/{message}"
        return [
            web.get("/users/@me", self._me),
            web.get("/oauth2/applications/@me", self._application),
            web.get("/gateway/bot", self._gateway),
            web.put("/applications/{application}/commands", self._put_commands),
            web.get("/applications/{application}/commands", self._get_commands),
            web.post("/users/@me/channels", self._open_direct),
            web.get("/users/{user}", self._user),
            web.get(one, self._channel),
            web.patch(one, self._change_channel),
            web.post(one + "/typing", self._typing),
            web.post(one + "/messages", self._post),
            web.get(one + "/messages", self._history),
            web.get(message, self._message),
            web.patch(message, self._edit),
            web.delete(message, self._delete),
            web.post(message + "/threads", self._thread_from),
            web.post(one + "/threads", self._thread),
            web.put(one + "/thread-members/{user}", self._add_member),
            web.get("/guilds/{guild}/threads/active", self._active_threads),
            web.get("/guilds/{guild}/members/{user}", self._guild_member),
        ]

    async def _me(self, _: web.Request) -> web.Response:
        return as_json({**self._world.bot, "mfa_enabled": True, "verified": True, "locale": "en-US"})

    async def _application(self, _: web.Request) -> web.Response:
        application = {
            "id": self._world.application_id,
            "name": "Deskhand",
            "description": "",
            "icon": None,
            "bot_public": True,
            "bot_require_code_grant": False,
            "owner": self._world.bot,
            "verify_key": "",
            "team": None,
            "flags": 1 << 19,
        }
        return as_json(application)

    async def _gateway(self, _: web.Request) -> web.Response:
        limits = {"total": 1000, "remaining": 999, "reset_after": 3_600_000, "max_concurrency": 16}
        return as_json({"url": self.gateway_url, "shards": self.shards, "session_start_limit": limits})

    async def _put_commands(self, request: web.Request) -> web.Response:
        self.commands = [
            {
                **command,
                "id": self._world.snowflakes.next(),
                "application_id": self._world.application_id,
                "version": "1",
            }
            for command in await request.json()
        ]
        return as_json(self.commands)

    async def _get_commands(self, _: web.Request) -> web.Response:
        return as_json(self.commands)

    async def _open_direct(self, request: web.Request) -> web.Response:
        return as_json(self._world.direct_channel(str((await request.json())["recipient_id"])))

    async def _user(self, request: web.Request) -> web.Response:
        user = self._world.users.get(request.match_info["user"])
        if user is None:
            raise RefusedError(404, 10013, "Unknown User")
        return as_json(user)

    async def _guild_member(self, request: web.Request) -> web.Response:
        member = self._world.member(request.match_info["guild"], request.match_info["user"])
        if member is None:
            raise RefusedError(404, 10007, "Unknown Member")
        return as_json({**member, "user": self._world.users[request.match_info["user"]]})

    async def _channel(self, request: web.Request) -> web.Response:
        return as_json(self._known_channel(request))

    async def _change_channel(self, request: web.Request) -> web.Response:
        channel = self._known_channel(request)
        changes = await request.json()
        known = {tag["id"] for tag in self._world.channels[channel["parent_id"]].get("available_tags", [])}
        if not set(map(str, changes.get("applied_tags", []))) <= known or len(changes.get("applied_tags", [])) > 5:
            raise RefusedError(400, 50035, "Invalid Form Body: applied_tags")
        if "applied_tags" in changes:
            changes["applied_tags"] = [str(tag) for tag in changes["applied_tags"]]
        return as_json(self._world.change_channel(channel["id"], changes))

    async def _typing(self, request: web.Request) -> web.Response:
        self.typing.append((self._known_channel(request)["id"], time.monotonic()))
        return web.Response(status=204)

    async def _post(self, request: web.Request) -> web.Response:
        channel = self._known_channel(request)
        body = await body_of(request)
        self._may_write(channel)
        check_message(body)
        if known := self._by_nonce(body):
            return as_json(known)
        message = self._world.add_message(channel["id"], self._world.bot["id"], **self._fields(channel, body))
        if body.get("enforce_nonce"):
            self._nonces[str(body["nonce"])] = (time.monotonic(), channel["id"], message["id"])
        return as_json(message)

    async def _history(self, request: web.Request) -> web.Response:
        """Newest first; with `after`, the ones next to it: …/resources/message#get-channel-messages ."""
        channel = self._known_channel(request)
        found = list(self._world.messages[channel["id"]].values())
        limit = int(request.query.get("limit", 50))
        if after := request.query.get("after"):
            found = [message for message in found if int(message["id"]) > int(after)][:limit]
        elif before := request.query.get("before"):
            found = [message for message in found if int(message["id"]) < int(before)][-limit:]
        else:
            found = found[-limit:]
        return as_json(found[::-1])

    async def _message(self, request: web.Request) -> web.Response:
        return as_json(self._known_message(request))

    async def _edit(self, request: web.Request) -> web.Response:
        message = self._known_message(request)
        if message["author"]["id"] != self._world.bot["id"]:
            raise RefusedError(403, 50005, "Cannot edit a message authored by another user")
        body = await body_of(request)
        check_message({"content": message["content"], "embeds": message["embeds"], **body})
        changed = self._world.change_message(message["channel_id"], message["id"], part_of(body, *CHANGEABLE))
        return as_json(changed)

    async def _delete(self, request: web.Request) -> web.Response:
        message = self._known_message(request)
        self._world.remove_message(message["channel_id"], message["id"])
        return web.Response(status=204)

    async def _thread_from(self, request: web.Request) -> web.Response:
        """The thread has its message's id, and there can be one only."""
        message = self._known_message(request)
        if message["id"] in self._world.channels:
            raise RefusedError(400, 160004, "A thread has already been created for this message")
        parent = self._known_channel(request)
        body = await request.json()
        check_name(body)
        thread = self._world.add_thread(parent, self._world.bot["id"], body["name"], thread_id=message["id"])
        message["thread"] = thread
        self._world.announce_thread(thread)
        return as_json(thread, status=201)

    async def _thread(self, request: web.Request) -> web.Response:
        parent = self._known_channel(request)
        body = await body_of(request)
        check_name(body)
        kind = body.get("type", PRIVATE_THREAD)
        thread = self._world.add_thread(parent, self._world.bot["id"], body["name"], kind=kind)
        self._world.announce_thread(thread)
        return as_json(thread, status=201)

    async def _add_member(self, request: web.Request) -> web.Response:
        self._world.thread_members[self._known_channel(request)["id"]].add(request.match_info["user"])
        return web.Response(status=204)

    async def _active_threads(self, request: web.Request) -> web.Response:
        guild = request.match_info["guild"]
        threads = [
            channel
            for channel in self._world.channels.values()
            if channel["type"] in THREADS and channel["guild_id"] == guild and not archived(channel)
        ]
        return as_json({"threads": threads, "members": [], "has_more": False})

    def _known_channel(self, request: web.Request) -> Payload:
        channel = self._world.channels.get(request.match_info["channel"])
        if channel is None:
            raise RefusedError(404, 10003, "Unknown Channel")
        return channel

    def _known_message(self, request: web.Request) -> Payload:
        channel = self._known_channel(request)
        message = self._world.messages[channel["id"]].get(request.match_info["message"])
        if message is None:
            raise RefusedError(404, 10008, "Unknown Message")
        return message

    def _may_write(self, channel: Payload) -> None:
        if channel["id"] in self.forbidden:
            raise RefusedError(403, 50013, "Missing Permissions")
        if channel["type"] == DIRECT and channel["recipients"][0]["id"] in self._world.closed_to_direct:
            raise RefusedError(403, 50007, "Cannot send messages to this user")
        if channel["type"] == FORUM:
            raise RefusedError(400, 50008, "Cannot send messages in a non-text channel")
        if channel["type"] in THREADS and channel["thread_metadata"]["locked"]:
            raise RefusedError(403, 50083, "Thread is archived")

    def _by_nonce(self, body: Payload) -> Payload | None:
        """enforce_nonce gives the earlier message of the past few minutes; 404 if that was deleted since."""
        kept = self._nonces.get(str(body.get("nonce"))) if body.get("enforce_nonce") else None
        if kept is None or time.monotonic() - kept[0] > self.nonce_seconds:
            return None
        message = self._world.messages[kept[1]].get(kept[2])
        if message is None:
            raise RefusedError(404, 10008, "Unknown Message")
        return message

    def _fields(self, channel: Payload, body: Payload) -> Payload:
        fields = part_of(body, "embeds", "components", "flags", "nonce")
        fields["content"] = body.get("content") or ""
        fields["allowed_mentions"] = body.get("allowed_mentions")
        if reference := body.get("message_reference"):
            referenced = self._world.messages[channel["id"]].get(str(reference["message_id"]))
            fields |= {"type": REPLY, "message_reference": reference, "referenced_message": referenced}
        return fields


def part_of(data: Payload, *keys: str) -> Payload:
    """Only these keys, where they are given."""
    return {key: data[key] for key in keys if key in data}


async def body_of(request: web.Request) -> Payload:
    """JSON, alone or as the part `payload_json` of a form."""
    if request.content_type == "application/json":
        return dict(await request.json())
    form = await request.post()
    return dict(json.loads(str(form["payload_json"])))


def check_name(body: Payload) -> None:
    """A thread's name has 1 to 100 characters."""
    if not 1 <= len(body["name"]) <= MAX_NAME:
        raise RefusedError(400, 50035, "Invalid Form Body: name")


def check_message(body: Payload) -> None:
    """The documented limits of a message."""
    content, embeds = body.get("content") or "", body.get("embeds") or []
    if not content.strip() and not embeds and not body.get("components"):
        raise RefusedError(400, 50006, "Cannot send an empty message")
    texts = [str(embed.get(key, "")) for embed in embeds for key in ("title", "description")]
    texts += [field[key] for embed in embeds for field in embed.get("fields", []) for key in ("name", "value")]
    too_long = len(content) > MAX_CONTENT or sum(map(len, texts)) > MAX_EMBEDS or len(embeds) > 10
    if too_long or len(str(body.get("nonce", ""))) > MAX_NONCE:
        raise RefusedError(400, 50035, "Invalid Form Body")
    check_components(body.get("components") or [])


def check_components(rows: list[Payload]) -> None:
    """At most five rows of five buttons; custom ids are unique and have at most 100 characters, labels 80."""
    items = [item for row in rows for item in row.get("components", [])]
    ids = [item["custom_id"] for item in items if "custom_id" in item]
    wrong = len(rows) > 5 or any(len(row.get("components", [])) > 5 for row in rows)
    wrong = wrong or len(set(ids)) < len(ids) or any(len(custom_id) > 100 for custom_id in ids)
    if wrong or any(len(item.get("label") or "") > 80 for item in items):
        raise RefusedError(400, 50035, "Invalid Form Body: components")
