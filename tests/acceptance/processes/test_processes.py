"""A desk as several real processes: web, workers and bots on one PostgreSQL and one Chroma server."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio

from commands.process.composition import open_process
from storage.accounts.accounts import Accounts
from storage.accounts.deployment import Deployment
from storage.accounts.members import Members
from storage.accounts.passwords import Passwords
from storage.accounts.tokens import Tokens
from storage.accounts.workspaces import Workspaces
from storage.channels.places import Places
from storage.cluster.channel_status import ChannelStatusTable
from storage.database.engine import open_database
from storage.queue.procrastinate.jobs import ProcrastinateJobs
from storage.records import Author, Incoming, Mode, Place, Role
from storage.settings import AutopilotSettings, Settings
from tests.simulators.discord.desk import Server
from tests.simulators.discord.server import TOKEN, DiscordSimulator
from tests.simulators.slack.people import Person, SignedHttp, Socket
from tests.simulators.slack.server import SlackServer, running_slack
from tests.simulators.slack.world import (
    APP_TOKEN,
    BOT_TOKEN,
    SIGNING_SECRET,
    TEAM,
    text_of,
)
from tests.support.databases import copied_database
from tests.support.faq import FAQ
from tests.support.passwords import PASSWORD
from tests.support.processes import (
    PARTS,
    PATIENCE,
    Child,
    Cluster,
    cluster,
)
from tests.support.settings import settings_for
from tests.support.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]

WORKSPACE = "processes"
KNOWN = "How do I reset my password?"
HELP = "CHELP"
SECRET = "a secret that every process of this desk knows"


@dataclass
class Desk:
    """The running processes, and the outside world."""

    cluster: Cluster
    web: Child
    workers: list[Child]
    bot: Child
    slack: SlackServer
    discord: Server
    database_url: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outside() -> AsyncIterator[tuple[SlackServer, Server]]:
    """The simulated Slack and Discord."""
    async with running_slack() as slack, DiscordSimulator() as discord:
        yield slack, Server(discord)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(
    outside: tuple[SlackServer, Server],
    postgres_url: str,
    chroma_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Desk]:
    """One web process, two workers and a bot, started side by side after `deskhand db upgrade`."""
    slack, discord = outside
    url = copied_database(postgres_url, "processes", "template1")
    own = {
        "DATABASE_URL": url,
        "DESKHAND_CHROMA__URL": chroma_url,
        "DESKHAND_SECRET": SECRET,
        # However long the restarts take, nobody writes too much.
        "DESKHAND_LIMITS__CUSTOMER_PER_MINUTE": "0",
        "DESKHAND_LIMITS__CUSTOMER_PER_HOUR": "0",
        "DESKHAND_SLACK__API_URL": f"{slack.url}/api/",
        "DESKHAND_DISCORD__API_URL": discord.simulator.api_url,
        "DESKHAND_DISCORD__SUPPORT_CHANNELS": json.dumps([int(discord.forum["id"])]),
    }
    async with cluster(tmp_path_factory.mktemp("processes"), **own) as desks:
        assert await desks.start("db", "upgrade").ended() == 0
        token = await furnish(url)
        web, *workers = desks.start("web", **chat_tokens()), desks.start("worker"), desks.start("worker")
        bot = desks.start("bot", **chat_tokens())
        await asyncio.gather(*(child.ready() for child in (web, *workers, bot)))
        await teach(desks, token)
        yield Desk(desks, web, workers, bot, slack, discord, url)


def chat_tokens() -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "DISCORD_BOT_TOKEN": TOKEN,
    }


async def furnish(url: str) -> str:
    """A workspace with an admin and a support channel in Slack; gives the admin's token."""
    database = open_database(sqlalchemy_url(url))
    # However long the restarts take, nobody has to look after so many automatic replies.
    settings = Settings(autopilot=AutopilotSettings(max_bot_turns=1_000_000))
    await Workspaces(database, settings).create(WORKSPACE, "Processes")
    await Deployment(database).choose_home_workspace(WORKSPACE)
    await Places(database).keep(Place(WORKSPACE, "slack", TEAM, HELP, "help", mode=Mode.AUTO))
    members, tokens = Members(database, Accounts(database, Passwords())), Tokens(database, SECRET, timedelta(hours=1))
    admin = await members.add(WORKSPACE, "admin@p.example", "Ada Admin", Role.ADMIN, PASSWORD)
    token = await tokens.for_member(admin)
    await database.close()
    return token


async def teach(desks: Cluster, token: str) -> None:
    """Load the FAQ by the web process's door; a worker does it."""
    bearer = {"Authorization": f"Bearer {token}"}
    async with desks.client() as client:
        loaded = await client.post("/api/v1/documents", files={"file": ("faq.csv", FAQ)}, headers=bearer)
        assert loaded.status_code == 202, loaded.text

        async def ready() -> bool:
            document = await client.get(f"/api/v1/documents/{loaded.json()['id']}", headers=bearer)
            return bool(document.json()["status"] == "ready")

        await until(ready, PATIENCE)


def sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


@dataclass(frozen=True)
class Customer:
    """Somebody on the web with a conversation, at whichever web process is there."""

    cluster: Cluster
    client: httpx.AsyncClient
    path: str
    bearer: dict[str, str]

    @property
    def address(self) -> str:
        return self.cluster.base_url + self.path

    async def asks(self, text: str, external_id: str = "", wait: int = 0) -> dict[str, Any]:
        """Send a message, again and again until it is acknowledged or, if waited for, answered."""
        body = {"text": text, **({"external_id": external_id} if external_id else {})}

        async def sent() -> dict[str, Any] | None:
            try:
                answer = await self.client.post(
                    f"{self.address}/messages", params={"wait": wait}, json=body, headers=self.bearer
                )
            except httpx.TransportError:
                return None
            settled = answer.is_success and (not wait or answer.json()["status"] != "accepted")
            return dict(answer.json()) if settled else None

        return await until(sent, PATIENCE)

    async def authors(self) -> list[str]:
        found = (await self.client.get(self.address, headers=self.bearer)).json()["messages"]
        return [message["author"] for message in found]


async def customer(desk: Desk, client: httpx.AsyncClient) -> Customer:
    opened = (await client.post("/api/v1/conversations", json={"workspace": WORKSPACE, "customer": {}})).json()
    path = f"/api/v1/conversations/{opened['id']}"
    return Customer(desk.cluster, client, path, {"Authorization": f"Bearer {opened['customer_token']}"})


async def test_a_worker_answers_what_is_asked_at_the_web_processs_door(desk: Desk) -> None:
    async with desk.cluster.client() as client:
        somebody = await customer(desk, client)
        answer = await somebody.asks(KNOWN, wait=60)
        assert answer["status"] == "answered"
        assert "Forgot password" in answer["reply"]["text"]


async def test_events_of_a_workers_commit_arrive_at_the_web_process(desk: Desk) -> None:
    async with desk.cluster.client() as client:
        somebody = await customer(desk, client)
        async with client.stream("GET", f"{somebody.address}/events", headers=somebody.bearer) as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "event: state" or await anext(lines) == "event: state"
            await somebody.asks(KNOWN)
            reply = await asyncio.wait_for(said_by_the_bot(lines), PATIENCE)
        assert "Forgot password" in reply["text"]


async def said_by_the_bot(lines: AsyncIterator[str]) -> dict[str, Any]:
    async for line in lines:
        told = json.loads(line.removeprefix("data: ")) if line.startswith("data: {") else {}
        if told.get("author") == "bot":
            return dict(told)
    raise AssertionError("the stream ended without a reply")


async def test_workers_and_bots_say_how_they_are_at_a_door_of_their_own(desk: Desk) -> None:
    for child in (*desk.workers, desk.bot):
        base_url = child.said.partition(" ready on ")[2].partition(" ")[0]
        async with httpx.AsyncClient(base_url=base_url, timeout=PATIENCE) as client:
            health = await client.get("/health")
            assert health.status_code == 200, health.text
            assert "deskhand_queue_depth" in (await client.get("/metrics")).text
            assert (await client.get("/")).status_code == 404


async def test_a_reply_to_slack_is_worked_out_by_a_worker_and_posted_by_the_bot(desk: Desk) -> None:
    over_socket = Person(desk.slack, Socket(desk.slack), "UCLEO")
    async with desk.cluster.client() as client:
        over_http = Person(desk.slack, SignedHttp(client), "UCARL")
        for person in (over_socket, over_http):
            ts = await person.says(HELP, KNOWN)

            async def replied(ts: str = ts) -> list[dict[str, Any]]:
                return desk.slack.world.replies(HELP, ts)

            (reply,) = await until(replied, PATIENCE)
            assert "Forgot password" in text_of(reply)


async def test_other_processes_know_how_the_bots_connections_are(desk: Desk) -> None:
    database = open_database(sqlalchemy_url(desk.database_url))
    presence = ChannelStatusTable(database)

    async def connected() -> bool:
        states = await presence.read_others()
        names = {state.channel for state in states if state.is_on and state.connected_since}
        return {"slack", "discord"} <= names

    await until(connected, PATIENCE)
    await database.close()


async def test_another_bot_takes_the_shard_over_when_its_leader_is_killed(desk: Desk) -> None:
    gateway, forum = desk.discord.simulator.gateway, desk.discord.forum

    async def led() -> bool:
        return len(gateway.connected) == 1

    await until(led, PATIENCE)
    other = await desk.cluster.started("bot", **chat_tokens())
    began = len(gateway.identifies)
    desk.bot.process.send_signal(signal.SIGKILL)
    await desk.bot.ended()
    # Written while nobody leads: the next leader reads it.
    post = desk.discord.ann.post(forum, "Password", KNOWN)

    async def answered() -> bool:
        known = post["id"] in desk.discord.simulator.world.messages
        return known and any("Forgot password" in said["content"] for said in desk.discord.simulator.said_by_bot(post))

    await until(answered, PATIENCE)
    assert len(gateway.identifies) == began + 1
    assert len(gateway.connected) == 1
    assert await other.stop() == 0


async def test_a_rolling_restart_of_every_process_loses_and_doubles_nothing(desk: Desk) -> None:
    async with desk.cluster.client() as client:
        people = [await customer(desk, client) for _ in range(4)]
        restarted = asyncio.Event()
        talking = [asyncio.create_task(talk(person, restarted)) for person in people]
        for index, worker in enumerate(desk.workers):
            successor = await desk.cluster.started("worker")
            assert await worker.stop() == 0, worker.errors
            desk.workers[index] = successor
        # Requests that wait for their reply are open at this process while it stops.
        desk.cluster.start("web")
        assert await desk.web.stop() == 0, desk.web.errors
        desk.web = desk.cluster.children[-1]
        await desk.web.ready()
        restarted.set()
        counts = await asyncio.gather(*talking)
        for person, count in zip(people, counts, strict=True):
            assert await person.authors() == ["customer", "bot"] * count


async def talk(person: Customer, enough: asyncio.Event) -> int:
    """Ask one thing after the other until it is enough, each until it is answered; gives how many."""
    count = 0
    while count == 0 or not enough.is_set():
        count += 1
        answer = await person.asks(KNOWN, external_id=f"message-{count}", wait=30)
        assert answer["status"] == "answered", answer
        assert "Forgot password" in answer["reply"]["text"]
        await asyncio.sleep(0.5)
    return count


async def test_a_second_signal_ends_a_process_at_once(desk: Desk) -> None:
    worker = desk.workers[0]
    worker.process.send_signal(signal.SIGSTOP)
    worker.process.send_signal(signal.SIGTERM)
    worker.process.send_signal(signal.SIGINT)
    worker.process.send_signal(signal.SIGCONT)
    assert await worker.ended() in (128 + signal.SIGTERM, 128 + signal.SIGINT)


async def refused(folder: Path, *parts: str, **own: str) -> list[tuple[int, str]]:
    """Exit code and log of each of these commands."""
    async with cluster(folder, **own) as desks:
        children = [desks.start(part) for part in parts]
        return [(await child.ended(), child.errors) for child in children]


async def test_without_shared_rows_and_vectors_each_says_in_one_line_what_to_set(tmp_path: Path) -> None:
    for part, (code, errors) in zip(PARTS, await refused(tmp_path, *PARTS), strict=True):
        assert code == 2
        (line,) = errors.strip().splitlines()
        assert line.startswith(f"deskhand: `deskhand {part}` is one of several processes")
        for key in ("DATABASE_URL", "DESKHAND_CHROMA__URL", "DESKHAND_SECRET"):
            assert key in line


@pytest.mark.parametrize(("revision", "advice"), [("0001", "run `deskhand db upgrade`"), ("9999", "update Deskhand")])
async def test_a_process_that_finds_another_schema_says_so_and_stops(
    tmp_path: Path, new_postgres_url: str, chroma_url: str, revision: str, advice: str
) -> None:
    with psycopg.connect(new_postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (revision,))
    own = {"DATABASE_URL": new_postgres_url, "DESKHAND_CHROMA__URL": chroma_url, "DESKHAND_SECRET": SECRET}
    ((code, errors),) = await refused(tmp_path, "worker", **own)
    assert code == 2
    (line,) = errors.strip().splitlines()
    assert f"the database is at revision {revision}" in line
    assert advice in line


async def test_everything_in_one_process_works_on_postgresql_too(tmp_path: Path, new_postgres_url: str) -> None:
    async with open_process(settings_for(tmp_path, new_postgres_url)) as process:
        store = process.store
        assert isinstance(process.jobs, ProcrastinateJobs)
        await store.accounts.workspaces.create(WORKSPACE, "Processes")
        document = await store.knowledge.catalogue.create(WORKSPACE, "faq.csv", FAQ)
        await store.knowledge.catalogue.load_document(document.id)
        accepted = await process.intake.accept(Incoming(WORKSPACE, "web", "m1", "thread", "customer", KNOWN))

        async def replied() -> bool:
            said = await store.conversations.messages.of_conversation(WORKSPACE, accepted.conversation_id)
            return [message.author for message in said] == [Author.CUSTOMER, Author.BOT]

        await until(replied, PATIENCE)
        await process.jobs.idle()
