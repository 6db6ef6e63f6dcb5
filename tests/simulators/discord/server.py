"""A simulated Discord on a real socket: REST interface and gateway, and the people who use it.

Written from Discord's developer documentation, https://docs.discord.com/developers (each file names its pages).
"""

import logging
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.simulators.discord.answers import as_json
from tests.simulators.discord.gateway import Gateway
from tests.simulators.discord.interactions import Interactions
from tests.simulators.discord.limits import Limits
from tests.simulators.discord.people import Person
from tests.simulators.discord.rest import RefusedError, Rest
from tests.simulators.discord.world import Guild, Payload, World

TOKEN = "MTE.simulated.token"


class DiscordSimulator:
    """Everything of it, started and stopped as one."""

    def __init__(self) -> None:
        self.world = World(TOKEN)
        self.limits = Limits()
        self.rest = Rest(self.world)
        self.interactions = Interactions(self.world)
        self.gateway = Gateway(self.world)
        self.api_url = ""
        self.files: dict[str, bytes] = {}
        self._runner: web.AppRunner | None = None

    def person(self, name: str, guild: Guild | None = None, *roles: str) -> Person:
        """A new user, who is in the guild with these roles."""
        user = self.world.add_user(name)
        if guild is not None:
            guild.members[user["id"]] = [guild.roles[role] for role in roles]
        return Person(self.world, self.interactions, user)

    def texts(self, channel: Payload | str) -> list[str]:
        """What is said in a channel, oldest first."""
        return [message["content"] for message in self.messages(channel)]

    def messages(self, channel: Payload | str) -> list[Payload]:
        """The messages of a channel, oldest first."""
        return list(self.world.messages[channel if isinstance(channel, str) else channel["id"]].values())

    def said_by_bot(self, channel: Payload | str) -> list[Payload]:
        """The bot's messages in a channel, oldest first."""
        return [message for message in self.messages(channel) if message["author"]["id"] == self.world.bot["id"]]

    def add_file(self, name: str, content: bytes) -> str:
        """Put a file on the content network; gives its address."""
        self.files[name] = content
        return f"{self.api_url.removesuffix('/api/v10')}/files/{name}"

    def set_shards(self, count: int) -> None:
        """How many shards Discord recommends."""
        self.rest.shards = count

    async def __aenter__(self) -> Self:
        rest = web.Application(middlewares=[self.limits.middleware, self._authorized, _refusals])
        rest.add_routes([*self.rest.routes(), *self.interactions.routes()])
        app = web.Application()
        app.add_subapp("/api/v10", rest)
        app.router.add_get("/gateway-socket/", self.gateway.accept)
        app.router.add_get("/files/{name}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.api_url = f"http://{host}:{port}/api/v10"
        self.gateway.url = self.rest.gateway_url = f"ws://{host}:{port}/gateway-socket/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.close_all()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["name"]])

    @web.middleware
    async def _authorized(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        open_to_all = "/interactions/" in request.path or "/webhooks/" in request.path
        if not open_to_all and request.headers.get("Authorization") != f"Bot {self.world.token}":
            return _refusal(401, 0, "401: Unauthorized")
        return await handler(request)


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as error:
        return _refusal(error.status, error.code, error.message)
    except Exception:
        logging.getLogger(__name__).exception("the simulated Discord failed at %s", request.path)
        raise


def _refusal(status: int, code: int, message: str) -> web.Response:
    body: dict[str, Any] = {"message": message, "code": code}
    return as_json(body, status=status)
