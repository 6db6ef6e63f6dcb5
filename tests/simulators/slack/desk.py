"""A whole desk in front of the simulated Slack."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from commands.process.composition import Process
from storage.records import (
    Conversation,
    Member,
    Mode,
    Place,
    Review,
    ReviewStatus,
    Role,
)
from storage.settings import Settings
from tests.simulators.slack.people import (
    Person,
    SignedHttp,
    Socket,
    Transport,
)
from tests.simulators.slack.server import SlackServer
from tests.simulators.slack.world import (
    APP_TOKEN,
    BOT_TOKEN,
    SIGNING_SECRET,
    TEAM,
    SlackWorld,
)
from tests.support.faq import FAQ
from tests.support.passwords import PASSWORD
from tests.support.whole_desk import open_desk

HELP, STAFF = "CHELP", "CSTAFF"
AGENT_USER = "UAGENT"


@dataclass
class SlackDesk:
    """A desk, its Slack, and how Slack reaches it."""

    process: Process
    slack: SlackServer
    via: Transport
    agent: Member

    @property
    def world(self) -> SlackWorld:
        """What people in Slack see."""
        return self.slack.world

    def person(self, user: str, team: str = TEAM) -> Person:
        """Somebody in Slack."""
        return Person(self.slack, self.via, user, team)

    @property
    def staff(self) -> Person:
        """The agent, in Slack."""
        return self.person(AGENT_USER)

    async def until(self, true: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Wait until something is so; gives what it gave."""
        async with asyncio.timeout(seconds):
            while not (found := true()):  # noqa: ASYNC110 - another server's memory
                await asyncio.sleep(0.02)
        return found

    async def reply(self, channel: str, ts: str, number: int = 1) -> dict[str, Any]:
        """The bot's message number so-and-so in a thread, as soon as it is there."""
        await self.until(lambda: len(self.world.replies(channel, ts)) >= number)
        return self.world.replies(channel, ts)[number - 1]

    async def card(self, number: int = 1) -> dict[str, Any]:
        """The card number so-and-so in the staff channel."""
        await self.until(lambda: len(self.world.messages[STAFF]) >= number)
        return self.world.messages[STAFF][number - 1]

    async def settled(self) -> None:
        """Wait until no job is left."""
        await self.process.jobs.idle()

    async def conversation(self, channel: str, ts: str) -> Conversation:
        """The conversation of a thread."""
        found = await self.process.store.conversations.threads.find("demo", "slack", f"{TEAM}/{channel}/{ts}")
        assert found
        return found

    async def review(self) -> Review:
        """The one review that waits."""
        (review,) = (await self.process.store.conversations.reviews.page("demo", ReviewStatus.PENDING)).items
        return review


def with_slack(settings: Settings, slack: SlackServer, *, over_socket: bool = True, **more: str) -> Settings:
    """The settings with the simulated Slack's tokens."""
    secrets = {"bot_token": BOT_TOKEN, "signing_secret": SIGNING_SECRET}
    if over_socket:
        secrets = {"bot_token": BOT_TOKEN, "app_token": APP_TOKEN}
    values = settings.model_dump()
    values["slack"] |= {"api_url": f"{slack.url}/api/", **secrets, **more}
    return Settings.model_validate(values)


@asynccontextmanager
async def open_slack_desk(
    settings: Settings,
    slack: SlackServer,
    *,
    over_socket: bool = True,
    knowledge: tuple[str, bytes] = ("faq.csv", FAQ),
) -> AsyncIterator[SlackDesk]:
    """A desk with a support channel, a staff channel and a linked agent, which knows one file."""
    async with open_desk(with_slack(settings, slack, over_socket=over_socket), chats=True) as process:
        store = process.store
        await store.accounts.workspaces.create("demo", "Demo")
        await store.accounts.deployment.choose_home_workspace("demo")
        document = await store.knowledge.catalogue.create("demo", *knowledge)
        await store.knowledge.catalogue.load_document(document.id)
        agent = await store.accounts.members.add("demo", "agent@demo.example", "Alex Agent", Role.AGENT, PASSWORD)
        await store.channels.identities.link("demo", agent.id, "slack", f"{TEAM}/{AGENT_USER}")
        await store.channels.places.keep(Place("demo", "slack", TEAM, HELP, "help", mode=Mode.AUTO))
        await store.channels.places.keep(Place("demo", "slack", TEAM, STAFF, "staff", is_staff=True))
        if over_socket:
            yield SlackDesk(process, slack, Socket(slack), agent)
            return
        async with serving(process) as client:
            yield SlackDesk(process, slack, SignedHttp(client), agent)


@asynccontextmanager
async def serving(process: Process) -> AsyncIterator[httpx.AsyncClient]:
    """The desk's routes for Slack, served on a free port."""
    site = FastAPI()
    for routes in process.routes:
        site.include_router(routes)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(site, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            yield client
    finally:
        server.should_exit = True
        await running
        listener.close()
