"""A desk in a process of its own in which everything goes wrong while its customers' words pass through.

Run as `python -m tests.acceptance.telemetry.troubled_desk FOLDER`: it logs as JSON at the level `debug` and ends by
itself.
The servers around it are simulated; the desk, its libraries and its log are the real ones.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from bot.errors import ChannelError
from commands.process.composition import Process, assemble, connect_platforms, working
from graph.checkpoints.opening import open_checkpoints
from graph.llm.opening import open_chat_model
from graph.state import Deps
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from storage.conversations.outbox import Outgoing
from storage.embeddings.opening import load_embedder
from storage.knowledge.search import Knowledge
from storage.opening import migrate_database, open_store
from storage.records import (
    ChannelName,
    Conversation,
    Hit,
    Incoming,
    new_id,
)
from storage.settings import Settings
from storage.telemetry.logging import set_up_logging
from storage.telemetry.metrics import Metrics
from tests.simulators.discord.server import DiscordSimulator
from tests.simulators.openai.behaviours import status
from tests.simulators.openai.server import OpenAISimulator
from tests.simulators.slack.server import running_slack
from tests.support.faq import FAQ
from tests.support.rows import database_of
from tests.support.settings import settings_for
from workbench.api.problems import install_problems
from workbench.api.routes import install_metering

MARK = "zebrafish"
SECRETS = (
    "sk-okapi-okapi-okapi",
    "xoxb-okapi-1",
    "xapp-okapi-1",
    "okapi.okapi.okapi",
    "okapi signs with a long random text",
)


class TroubledKnowledge(Knowledge):
    """Fails at some questions, with the customer's words in its exception."""

    async def search(self, workspace_id: str, query: str, *given: Any, **named: Any) -> tuple[Hit, ...]:
        """Find nothing, or fail."""
        if "export" in query:
            raise RuntimeError(f"{MARK}: {query}")
        return await super().search(workspace_id, query, *given, **named)


class TroubledChannel:
    """Fails in every way in turn, with the reply in its exceptions."""

    name: ClassVar[ChannelName] = "discord"
    idempotent = False

    def __init__(self) -> None:
        self._tries = 0

    async def send(self, outgoing: Outgoing) -> str | None:
        """Fail, or do as if it went well."""
        self._tries += 1
        if self._tries == 1:
            raise ValueError(f"{MARK}: {outgoing.message.text}")
        if self._tries == 2:
            raise ChannelError("channel_not_found", permanent=True) from ValueError(outgoing.message.text)
        return None

    async def show_typing(self, conversation: Conversation, *, on: bool) -> None:
        """Show nothing."""


async def main(folder: Path) -> None:
    """Set everything up, let it go wrong, end."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(running_slack())
        discord = await stack.enter_async_context(DiscordSimulator())
        model = stack.enter_context(OpenAISimulator(default=status(503, message=f"{MARK}: your prompt was …")))
        settings = settings_for(
            folder,
            log={"format": "json", "level": "debug"},
            model={"provider": "openai", "base_url": model.base_url, "api_key": SECRETS[0], "retries": 0},
            slack={"api_url": f"{slack.url}/api/", "bot_token": SECRETS[1], "app_token": SECRETS[2]},
            discord={"api_url": discord.api_url, "bot_token": SECRETS[3]},
            web={"secret": SECRETS[4]},
            jobs={"max_attempts": 2, "retry_seconds": 0.05},
        )
        set_up_logging(settings)
        process = await built(stack, settings)
        await stack.enter_async_context(connect_platforms(process))
        process.channels["discord"] = TroubledChannel()
        await stack.enter_async_context(working(process))
        await trouble(process)


async def built(stack: AsyncExitStack, settings: Settings) -> Process:
    """The desk with its troubled parts."""
    settings.data_dir.mkdir(parents=True)
    await migrate_database(settings)
    embedder = load_embedder(settings)
    store = await stack.enter_async_context(open_store(settings, embedder))
    await store.accounts.workspaces.create("demo", "Demo")
    document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    await store.knowledge.catalogue.load_document(document.id)
    checkpoints = await stack.enter_async_context(open_checkpoints(settings))
    model = await stack.enter_async_context(open_chat_model(settings))
    knowledge = TroubledKnowledge(database_of(store), embedder, store.knowledge.index._vectors)
    deps = Deps(settings, knowledge, Classifier(embedder, load_examples()), model)
    return assemble(settings, store, checkpoints, deps, {})


async def trouble(process: Process) -> None:
    """Customers write, an admin loads a file, somebody calls by HTTP."""
    for text in (f"How do I reset my {MARK}?", f"How do I export my {MARK}?", f"{MARK}@example.com", "Hello!"):
        incoming = Incoming("demo", "discord", new_id(), new_id(), MARK, text, MARK, f"{MARK}@example.com")
        await process.intake.accept(incoming)
        await process.jobs.idle()
    agent_reply = await process.store.conversations.reading.page("demo")
    assert agent_reply.items
    async with serving(process) as client:
        await client.get(f"/api/v1/fail/{MARK}", headers={"x-request-id": MARK})
        await client.post("/api/v1/fail/{MARK}", content=MARK)
    loop = asyncio.get_running_loop()
    forgotten = loop.create_task(_fail(MARK), name=MARK)
    await asyncio.sleep(0.05)
    del forgotten
    await process.jobs.idle()


async def _fail(word: str) -> None:
    raise LookupError(f"no such thing: {word} {MARK}")


@asynccontextmanager
async def serving(process: Process) -> AsyncIterator[httpx.AsyncClient]:
    """The desk's way of answering by HTTP, around a route that fails."""
    app = FastAPI()
    install_problems(app)
    install_metering(app, Metrics(CollectorRegistry(), database_of(process.store)))
    app.add_api_route("/api/v1/fail/{word}", _fail)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
    server.should_exit = True
    await task


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
