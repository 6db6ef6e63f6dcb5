"""A customer's seat in front of each channel: what the contract suite needs, whatever the platform calls it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import httpx
from fastapi import FastAPI

from bot.web.routes import web_routes
from commands.process.composition import Process
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from storage.embeddings.protocol import Embedder
from storage.records import Incoming, Member, Role, new_id
from storage.settings import Settings
from tests.simulators.discord.desk import DiscordDesk, Server, running_desk
from tests.simulators.discord.limits import Fault
from tests.simulators.discord.server import DiscordSimulator
from tests.simulators.discord.world import Payload
from tests.simulators.platform import Platform, PlatformChannel, running_platform
from tests.simulators.slack.desk import HELP, SlackDesk, open_slack_desk
from tests.simulators.slack.server import running_slack
from tests.simulators.slack.world import text_of
from tests.support.faq import FAQ
from tests.support.passwords import PASSWORD
from tests.support.settings import settings_for
from tests.support.whole_desk import open_desk

Ability = Literal["repeat", "typing", "limit", "lose", "overhear", "edit", "delete", "click"]
Button = Literal["person", "solved", "vote"]


class Seat(Protocol):
    """One customer in one channel. A `ref` is the seat's own name of a message; the first one's names the thread."""

    process: Process
    agent: Member
    can: frozenset[Ability]
    """What this channel has at all."""
    unsafe: tuple[str, ...]
    """What would call people if it were shown as it is."""

    async def says(self, text: str, thread: str = "") -> str:
        """Write, at first or in a thread."""

    async def repeats(self, ref: str) -> None:
        """The platform tells of a message again."""

    async def shown(self, thread: str) -> list[str]:
        """What the desk has shown in the thread, in order: each post as all that is in it."""

    async def edits(self, ref: str, text: str) -> None:
        """Change a message."""

    async def deletes(self, ref: str) -> None:
        """Delete a message."""

    async def staff_says(self, thread: str, text: str) -> None:
        """The agent writes in the thread itself."""

    async def clicks(self, thread: str, button: Button) -> None:
        """Press a button under the newest reply."""

    def limits(self) -> None:
        """The next post is refused for its rate."""

    def loses(self) -> None:
        """The next post is shown, but its answer is lost."""

    def typing_shown(self, thread: str) -> int:
        """How often a typing indicator was shown."""

    def is_typing(self, thread: str) -> bool:
        """Whether one is shown now."""


@dataclass
class SlackSeat:
    """In a support channel of the simulated Slack."""

    desk: SlackDesk
    can: frozenset[Ability] = frozenset({"repeat", "typing", "limit", "lose", "overhear", "edit", "delete", "click"})
    unsafe: tuple[str, ...] = ("<!channel>", "<!here>", "<@UAGENT>", "@here")

    def __post_init__(self) -> None:
        self.process, self.agent = self.desk.process, self.desk.agent
        self._person = self.desk.person("UCLEO")

    async def says(self, text: str, thread: str = "") -> str:
        return await self._person.says(HELP, text, thread)

    async def repeats(self, ref: str) -> None:
        message = self.desk.world.find(HELP, ref)
        assert message
        await self._person.tells(self._person.event_of(HELP, message), retry=1)

    async def shown(self, thread: str) -> list[str]:
        return [text_of(item) for item in self.desk.world.replies(HELP, thread)]

    async def edits(self, ref: str, text: str) -> None:
        await self._person.edits(HELP, ref, text)

    async def deletes(self, ref: str) -> None:
        await self._person.deletes(HELP, ref)

    async def staff_says(self, thread: str, text: str) -> None:
        await self.desk.staff.says(HELP, text, thread)

    async def clicks(self, thread: str, button: Button) -> None:
        actions = {"person": "person", "solved": "solved", "vote": "vote_up"}
        await self._person.clicks(HELP, self.desk.world.replies(HELP, thread)[-1], actions[button])

    def limits(self) -> None:
        self.desk.world.faults["chat.postMessage"].append("429")

    def loses(self) -> None:
        self.desk.world.faults["chat.postMessage"].append("lose the answer")

    def typing_shown(self, thread: str) -> int:
        return len(
            [1 for name, args in self.desk.world.calls if name == "reactions.add" and args["timestamp"] == thread]
        )

    def is_typing(self, thread: str) -> bool:
        return (HELP, thread, "eyes") in self.desk.world.reactions


@dataclass
class DiscordSeat:
    """In a text channel of the simulated Discord."""

    desk: DiscordDesk
    can: frozenset[Ability] = frozenset({"repeat", "typing", "limit", "lose", "overhear", "edit", "delete", "click"})
    unsafe: tuple[str, ...] = ("@everyone", "@here", "<@1>", "<@&2>")
    _messages: dict[str, Payload] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.process, self.agent = self.desk.process, self.desk.agent
        self._server = self.desk.server

    async def says(self, text: str, thread: str = "") -> str:
        if thread:
            message = self._server.ann.say(self.desk.simulator.world.channels[thread], text)
        else:
            message = self._server.ann.mention(self._server.general, text)
        self._messages[message["id"]] = message
        return str(message["id"])

    async def repeats(self, ref: str) -> None:
        world = self.desk.simulator.world
        world.happened("MESSAGE_CREATE", world.message_event(self._messages[ref]))

    async def shown(self, thread: str) -> list[str]:
        if thread not in self.desk.simulator.world.messages:
            return []
        return [_discord_text(item) for item in self.desk.simulator.said_by_bot(thread)]

    async def edits(self, ref: str, text: str) -> None:
        self._server.ann.edit(self._messages[ref], text)

    async def deletes(self, ref: str) -> None:
        self._server.ann.delete(self._messages[ref])

    async def staff_says(self, thread: str, text: str) -> None:
        self._server.sue.say(self.desk.simulator.world.channels[thread], text)

    async def clicks(self, thread: str, button: Button) -> None:
        labels = {"person": "Talk to a person", "solved": "Solved", "vote": "👍"}
        await self._server.ann.click(self.desk.simulator.said_by_bot(thread)[-1], labels[button])

    def limits(self) -> None:
        self.desk.simulator.limits.faults.append(Fault("429", seconds=0.3))

    def loses(self) -> None:
        self.desk.simulator.limits.faults.append(Fault("lose the answer"))

    def typing_shown(self, thread: str) -> int:
        return len([1 for channel, _ in self.desk.simulator.rest.typing if channel == thread])

    def is_typing(self, thread: str) -> bool:  # noqa: ARG002 - typing fades by itself
        return False


@dataclass
class WebSeat:
    """On the web, over REST."""

    process: Process
    agent: Member
    client: httpx.AsyncClient
    can: frozenset[Ability] = frozenset({"repeat", "click"})
    unsafe: tuple[str, ...] = ()
    _tokens: dict[str, str] = field(default_factory=dict)
    _threads: dict[str, str] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    async def says(self, text: str, thread: str = "") -> str:
        conversation = self._threads[thread] if thread else await self._open()
        ref = new_id()
        self._threads[ref], self._texts[ref] = conversation, text
        await self._write(ref)
        return ref

    async def repeats(self, ref: str) -> None:
        await self._write(ref)

    async def shown(self, thread: str) -> list[str]:
        conversation = self._threads[thread]
        read = await self.client.get(f"/api/v1/conversations/{conversation}", headers=self._bearer(conversation))
        return [item["text"] for item in read.json()["messages"] if item["author"] != "customer"]

    async def edits(self, ref: str, text: str) -> None:
        raise NotImplementedError

    async def deletes(self, ref: str) -> None:
        raise NotImplementedError

    async def staff_says(self, thread: str, text: str) -> None:
        raise NotImplementedError

    async def clicks(self, thread: str, button: Button) -> None:
        conversation = self._threads[thread]
        headers, path = self._bearer(conversation), f"/api/v1/conversations/{conversation}"
        if button != "vote":
            await self.client.post(f"{path}/{'resolve' if button == 'solved' else 'person'}", headers=headers)
            return
        read = (await self.client.get(path, headers=headers)).json()["messages"]
        await self.client.post("/api/v1/feedback", json={"message_id": read[-1]["id"], "vote": "up"}, headers=headers)

    def limits(self) -> None:
        raise NotImplementedError

    def loses(self) -> None:
        raise NotImplementedError

    def typing_shown(self, thread: str) -> int:
        raise NotImplementedError

    def is_typing(self, thread: str) -> bool:
        raise NotImplementedError

    async def _open(self) -> str:
        answer = (await self.client.post("/api/v1/conversations", json={"workspace": "demo"})).json()
        self._tokens[answer["id"]] = answer["customer_token"]
        return str(answer["id"])

    async def _write(self, ref: str) -> None:
        conversation = self._threads[ref]
        body = {"text": self._texts[ref], "external_id": ref}
        path = f"/api/v1/conversations/{conversation}/messages"
        answer = await self.client.post(path, json=body, headers=self._bearer(conversation))
        assert answer.status_code == 202, answer.text

    def _bearer(self, conversation: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[conversation]}"}


@dataclass
class PlatformSeat:
    """On the simulated platform, whose events come straight to intake."""

    process: Process
    agent: Member
    platform: Platform
    can: frozenset[Ability] = frozenset({"repeat", "limit", "lose", "overhear", "edit", "delete"})
    unsafe: tuple[str, ...] = ()
    _sent: dict[str, Incoming] = field(default_factory=dict)

    async def says(self, text: str, thread: str = "") -> str:
        ref = new_id()
        self._sent[ref] = Incoming("demo", "slack", ref, thread or ref, "customer", text)
        await self.repeats(ref)
        return ref

    async def repeats(self, ref: str) -> None:
        await self.process.intake.accept(self._sent[ref])

    async def shown(self, thread: str) -> list[str]:
        return [post.text for post in self.platform.posts if post.thread == thread]

    async def edits(self, ref: str, text: str) -> None:
        await self.process.intake.edit(replace(self._sent[ref], text=text))

    async def deletes(self, ref: str) -> None:
        await self.process.intake.delete("demo", "slack", ref)

    async def staff_says(self, thread: str, text: str) -> None:
        found = await self.process.store.conversations.threads.find("demo", "slack", thread)
        assert found
        await self.process.desk.record_thread_reply(self.agent, found.id, text, new_id())

    async def clicks(self, thread: str, button: Button) -> None:
        raise NotImplementedError

    def limits(self) -> None:
        self.platform.faults.append("429")

    def loses(self) -> None:
        self.platform.faults.append("lose the answer")

    def typing_shown(self, thread: str) -> int:
        raise NotImplementedError

    def is_typing(self, thread: str) -> bool:
        raise NotImplementedError


def open_seat(channel: str, folder: Path, embedder: Embedder) -> AbstractAsyncContextManager[Seat]:
    """A seat in front of a running desk."""
    match channel:
        case "slack":
            return _slack(settings_for(folder))
        case "discord":
            return _discord(folder, embedder)
        case "web":
            return _web(settings_for(folder))
        case _:
            return _platform(settings_for(folder))


@asynccontextmanager
async def _slack(settings: Settings) -> AsyncIterator[Seat]:
    async with running_slack() as slack, open_slack_desk(settings, slack) as desk:
        yield SlackSeat(desk)


@asynccontextmanager
async def _discord(folder: Path, embedder: Embedder) -> AsyncIterator[Seat]:
    classifier = Classifier(embedder, load_examples())
    async with (
        DiscordSimulator() as simulator,
        running_desk(Server(simulator), folder, embedder, classifier) as desk,
    ):
        await desk.connected()
        yield DiscordSeat(desk)


@asynccontextmanager
async def _web(settings: Settings) -> AsyncIterator[Seat]:
    async with open_desk(settings) as process:
        agent = await _furnish(process)
        site = FastAPI()
        site.include_router(web_routes(process.store, process.intake, process.desk, settings))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://desk") as client:
            yield WebSeat(process, agent, client)


@asynccontextmanager
async def _platform(settings: Settings) -> AsyncIterator[Seat]:
    async with running_platform() as platform, open_desk(settings) as process:
        process.channels["slack"] = PlatformChannel(platform.url)
        yield PlatformSeat(process, await _furnish(process), platform)


async def _furnish(process: Process) -> Member:
    store = process.store
    await store.accounts.workspaces.create("demo", "Demo")
    document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    await store.knowledge.catalogue.load_document(document.id)
    return await store.accounts.members.add("demo", "agent@demo.example", "Alex Agent", Role.AGENT, PASSWORD)


def _discord_text(message: Payload) -> str:
    embeds: list[dict[str, Any]] = message.get("embeds") or []
    return "\n".join([message["content"], *(str(embed.get("description") or "") for embed in embeds)])
