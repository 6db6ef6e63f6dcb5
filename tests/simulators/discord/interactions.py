"""Simulated interactions: commands, buttons and modals, and the bot's answers to them.

Sources: https://docs.discord.com/developers/interactions/receiving-and-responding , …/components/reference .
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.simulators.discord.answers import as_json
from tests.simulators.discord.rest import (
    CHANGEABLE,
    RefusedError,
    body_of,
    check_message,
    part_of,
)
from tests.simulators.discord.world import (
    ALL_PERMISSIONS,
    DIRECT,
    EPHEMERAL,
    Payload,
    World,
)

COMMAND, COMPONENT, MODAL_SUBMIT = 2, 3, 5
MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, MODAL = 4, 5, 6, 7, 9
DEADLINE_SECONDS = 3.0
MAX_MODAL_TITLE, MAX_INPUT_LABEL, MAX_INPUT = 45, 45, 4000


@dataclass
class Interaction:
    """One interaction and everything that the bot answered."""

    id: str
    token: str
    payload: Payload
    started: float
    kind: int | None = None
    """The callback's type, once there was one."""
    data: Payload = field(default_factory=dict)
    """The callback's data: of a modal its fields."""
    took: float = 0.0
    """Seconds until the first answer."""
    original_id: str | None = None
    shown: list[Payload] = field(default_factory=list)
    """Messages that the answers made, ephemeral ones too, as they look now."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def texts(self) -> list[str]:
        """What is shown to the user, without the answers that only say "thinking"."""
        return [message["content"] for message in self.shown if not message.get("loading")]

    @property
    def is_ephemeral(self) -> bool:
        """Whether only the user sees the answers."""
        return all(message["flags"] & EPHEMERAL for message in self.shown)

    async def answered(self, seconds: float = 60.0) -> "Interaction":
        """Wait for the first answer."""
        return await self._until(lambda: self.kind is not None, seconds)

    async def told(self, seconds: float = 60.0) -> str:
        """Wait for words; gives the last."""
        await self._until(lambda: bool(self.texts), seconds)
        return self.texts[-1]

    async def _until(self, ready: Any, seconds: float) -> "Interaction":
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(ready)
        return self


class Interactions:
    """Starts interactions as users do, and takes the bot's answers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.started: dict[str, Interaction] = {}

    def routes(self) -> list[web.RouteDef]:
        """Relative to the interface's base."""
        hook = "/webhooks/{application}/{token}"
        return [
            web.post("/interactions/{interaction}/{token}/callback", self._callback),
            web.post(hook, self._follow_up),
            web.get(hook + "/messages/{message}", self._read),
            web.patch(hook + "/messages/{message}", self._edit),
            web.delete(hook + "/messages/{message}", self._delete),
        ]

    def start(self, kind: int, user: Payload, channel: Payload, data: Payload, message: Payload | None) -> Interaction:
        """Dispatch INTERACTION_CREATE."""
        id_ = self._world.snowflakes.next()
        payload: Payload = {
            "id": id_,
            "application_id": self._world.application_id,
            "type": kind,
            "data": data,
            "token": f"token-{id_}",
            "version": 1,
            "channel": channel,
            "channel_id": channel["id"],
            "locale": "en-US",
            "app_permissions": ALL_PERMISSIONS,
            "entitlements": [],
            "attachment_size_limit": 10_485_760,
            "authorizing_integration_owners": {},
        }
        if guild_id := channel.get("guild_id"):
            member = {**(self._world.member(guild_id, user["id"]) or {}), "user": user, "permissions": "0"}
            guild = {"id": guild_id, "locale": "en-US", "features": []}
            payload |= {"guild_id": guild_id, "guild": guild, "member": member, "context": 0, "guild_locale": "en-US"}
        else:
            payload |= {"user": user, "context": 1}
        if message is not None:
            payload["message"] = message
        interaction = Interaction(id_, payload["token"], payload, time.monotonic())
        self.started[interaction.token] = interaction
        self._world.happened("INTERACTION_CREATE", payload)
        return interaction

    async def _callback(self, request: web.Request) -> web.Response:
        interaction = self._known(request)
        if time.monotonic() - interaction.started > DEADLINE_SECONDS:
            raise RefusedError(404, 10062, "Unknown interaction")
        if interaction.kind is not None:
            raise RefusedError(400, 40060, "Interaction has already been acknowledged.")
        body = await body_of(request)
        interaction.data = body.get("data") or {}
        message = self._first_message(interaction, body["type"])
        interaction.kind, interaction.took = body["type"], time.monotonic() - interaction.started
        await self._tell(interaction)
        answer: Payload = {"interaction": {"id": interaction.id, "type": interaction.payload["type"]}}
        if message is not None:
            answer["interaction"] |= {"response_message_id": message["id"]}
            answer["resource"] = {"type": body["type"], "message": message}
        return as_json(answer)

    def _first_message(self, interaction: Interaction, kind: int) -> Payload | None:
        data = interaction.data
        match kind:
            case 4:
                check_message(data)
                message = self._show(interaction, data)
            case 5:
                message = self._show(interaction, {"content": "", **data, "loading": True})
            case 7:
                check_message({"content": interaction.payload["message"]["content"], **data})
                return self._update(interaction, data)
            case 9:
                check_modal(data)
                return None
            case _:
                return None
        interaction.original_id = message["id"]
        return message

    async def _follow_up(self, request: web.Request) -> web.Response:
        interaction = self._known(request)
        if interaction.kind is None:
            raise RefusedError(404, 10015, "Unknown Webhook")
        body = await body_of(request)
        check_message(body)
        loading = next((message for message in interaction.shown if message.get("loading")), None)
        # The first follow-up of a deferred answer takes the place of "thinking".
        message = self._change(interaction, loading, body) if loading else self._show(interaction, body)
        await self._tell(interaction)
        return as_json(message)

    async def _read(self, request: web.Request) -> web.Response:
        return as_json(self._shown(self._known(request), request))

    async def _edit(self, request: web.Request) -> web.Response:
        interaction = self._known(request)
        body = await body_of(request)
        if request.match_info["message"] == "@original" and interaction.original_id is None:
            message = self._update(interaction, body)
        else:
            message = self._change(interaction, self._shown(interaction, request), body)
        await self._tell(interaction)
        return as_json(message)

    async def _delete(self, request: web.Request) -> web.Response:
        interaction = self._known(request)
        interaction.shown.remove(self._shown(interaction, request))
        await self._tell(interaction)
        return web.Response(status=204)

    def _show(self, interaction: Interaction, data: Payload) -> Payload:
        """An ephemeral message is seen by its user only: nobody gets an event of it."""
        channel_id = interaction.payload["channel_id"]
        fields = part_of(data, "embeds", "components", "flags", "allowed_mentions")
        flags = fields.setdefault("flags", 0)
        if flags & EPHEMERAL or data.get("loading"):
            message = {
                "id": self._world.snowflakes.next(),
                "channel_id": channel_id,
                "author": self._world.bot,
                "content": data.get("content") or "",
                "timestamp": "2024-01-01T00:00:00+00:00",
                "edited_timestamp": None,
                "mentions": [],
                "mention_roles": [],
                "attachments": [],
                "embeds": [],
                "components": [],
                "type": 20,
                **fields,
                "loading": data.get("loading", False),
            }
        else:
            message = self._world.add_message(channel_id, self._world.bot["id"], data.get("content") or "", **fields)
        interaction.shown.append(message)
        return message

    def _change(self, interaction: Interaction, message: Payload, data: Payload) -> Payload:
        check_message({"content": message["content"], **data})
        message.update(part_of(data, *CHANGEABLE), loading=False)
        if not message["flags"] & EPHEMERAL:
            kept = self._world.messages[message["channel_id"]]
            if message["id"] not in kept:
                kept[message["id"]] = message
                self._world.happened("MESSAGE_CREATE", self._world.message_event(message))
        interaction.shown = [message if shown["id"] == message["id"] else shown for shown in interaction.shown]
        return message

    def _update(self, interaction: Interaction, data: Payload) -> Payload:
        """The message that the button is on changes."""
        message = interaction.payload["message"]
        return self._world.change_message(message["channel_id"], message["id"], part_of(data, *CHANGEABLE))

    def _known(self, request: web.Request) -> Interaction:
        interaction = self.started.get(request.match_info["token"])
        if interaction is None:
            raise RefusedError(404, 10062, "Unknown interaction")
        return interaction

    def _shown(self, interaction: Interaction, request: web.Request) -> Payload:
        named = request.match_info["message"]
        wanted = interaction.original_id if named == "@original" else named
        for message in interaction.shown:
            if message["id"] == wanted:
                return message
        raise RefusedError(404, 10008, "Unknown Message")

    async def _tell(self, interaction: Interaction) -> None:
        async with interaction.changed:
            interaction.changed.notify_all()


def check_modal(data: Payload) -> None:
    """A modal has a title of at most 45 characters and one to five inputs."""
    inputs = inputs_of(data)
    wrong = not 1 <= len(inputs) <= 5 or not 1 <= len(data["title"]) <= MAX_MODAL_TITLE
    if wrong or any(len(item.get("value") or "") > MAX_INPUT for item in inputs):
        raise RefusedError(400, 50035, "Invalid Form Body: modal")


def inputs_of(data: Payload) -> list[Payload]:
    """The inputs of a modal, from action rows (with labels of their own) or label components."""
    found: list[Payload] = []
    for row in data["components"]:
        found += row["components"] if "components" in row else [row["component"]]
    return found


def is_direct(channel: Payload) -> bool:
    """Whether this is a channel of direct messages."""
    return bool(channel["type"] == DIRECT)
