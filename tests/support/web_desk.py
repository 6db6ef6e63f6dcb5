"""A desk with the customers' routes alone, served on a loopback port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import select

from bot.channel import Channel
from bot.delivery import DeliveryJob
from bot.intake import Intake
from bot.web.channel import WebChannel
from bot.web.routes import web_routes
from graph.checkpoints.opening import open_checkpoints
from graph.desk import Desk
from graph.machine import build_machine
from graph.state import Deps
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from graph.turn_runner import TurnRunner
from storage.database.tables import turns
from storage.embeddings.protocol import Embedder
from storage.opening import open_store
from storage.queue.embedded.jobs import EmbeddedJobs
from storage.queue.jobs import (
    Handlers,
    Job,
    JobKind,
    RunAt,
)
from storage.records import ChannelName, Draft, Triage, TurnStatus
from storage.settings import Settings
from storage.store import Store
from storage.turns.begin import TurnWork
from storage.turns.result import CommitResult, TurnResult
from tests.support.rows import database_of
from tests.support.store import open_test_store
from workbench.api.problems import install_problems


@dataclass
class WebDesk:
    """A desk whose turns are run by its jobs, or by the test itself when the jobs were not started."""

    settings: Settings
    store: Store
    desk: Desk
    runner: TurnRunner
    intake: Intake
    jobs: EmbeddedJobs
    base_url: str = ""
    client: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)

    def app(self) -> FastAPI:
        """The customers' routes, with problem documents for errors."""
        app = FastAPI()
        app.include_router(web_routes(self.store, self.intake, self.desk, self.settings))
        install_problems(app)
        return app

    async def opened(self, workspace: str = "demo") -> "Chat":
        """A new anonymous conversation."""
        answer = await self.client.post("/api/v1/conversations", json={"workspace": workspace})
        assert answer.status_code == 201, answer.text
        return Chat(self.client, answer.json()["id"], answer.json()["customer_token"])

    async def answer(self, conversation_id: str, draft: Draft) -> None:
        """Play the graph: send this draft for what waits in the conversation."""
        proposal = await proposal_for(self.store, conversation_id, draft)
        assert await self.store.conversations.completion.send(proposal) is CommitResult.COMMITTED
        self.store.cluster.events.publish(conversation_id)

    async def hold(self, conversation_id: str, draft: Draft) -> None:
        """Play the graph: stop for a person."""
        proposal = await proposal_for(self.store, conversation_id, draft)
        assert await self.store.conversations.completion.hold(proposal) is CommitResult.COMMITTED
        self.store.cluster.events.publish(conversation_id)


@dataclass
class Chat:
    """One customer's side of a conversation."""

    client: httpx.AsyncClient
    id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """The customer's bearer."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def path(self) -> str:
        """Where the conversation is."""
        return f"/api/v1/conversations/{self.id}"

    async def write(self, text: str, external_id: str | None = None, wait: float | None = None) -> httpx.Response:
        """Send a text."""
        body = {"text": text} | ({"external_id": external_id} if external_id else {})
        params = {} if wait is None else {"wait": wait}
        return await self.client.post(f"{self.path}/messages", json=body, params=params, headers=self.headers)

    async def post(self, act: str) -> httpx.Response:
        """Close, resolve, or ask for a person."""
        return await self.client.post(f"{self.path}/{act}", headers=self.headers)

    async def read(self) -> dict[str, Any]:
        """The whole conversation."""
        answer = await self.client.get(self.path, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@asynccontextmanager
async def open_web_desk(settings: Settings, embedder: Embedder, *, working: bool = False) -> AsyncIterator[WebDesk]:
    """A desk served on a free port; `working` starts its jobs."""
    async with open_test_store(settings, embedder) as store, open_checkpoints(settings) as checkpoints:
        jobs = EmbeddedJobs(retry_seconds=0.05)
        deps = Deps(settings, store.knowledge.index, Classifier(embedder, load_examples()), None)
        runner = TurnRunner(build_machine(checkpoints), checkpoints, deps, store, jobs)
        intake = Intake(
            store.conversations.intake,
            store.conversations.edits,
            jobs,
            store.cluster.events,
            settings.conversation.gather_seconds,
        )
        web = WebDesk(settings, store, Desk(runner, store, jobs), runner, intake, jobs)
        if working:
            jobs.start(_handlers(web))
        try:
            async with serving(web.app()) as base_url, httpx.AsyncClient(base_url=base_url, timeout=30) as client:
                web.base_url, web.client = base_url, client
                yield web
        finally:
            await jobs.stop()


@asynccontextmanager
async def open_web_desk_beside(desk: WebDesk, embedder: Embedder) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a second process of the same desk: the same rows, and signals of its own."""
    async with open_store(desk.settings, embedder) as store:
        intake = Intake(store.conversations.intake, store.conversations.edits, desk.jobs, store.cluster.events, 0)
        beside = replace(desk, store=store, intake=intake)
        async with serving(beside.app()) as base_url, httpx.AsyncClient(base_url=base_url) as client:
            yield client


@asynccontextmanager
async def serving(app: FastAPI, patience: int | None = 2) -> AsyncIterator[str]:
    """The address of the application, served by a real uvicorn in this loop.

    At its stop it cuts off what is still open after `patience` seconds; None: never.
    """
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, each answer takes 40 ms longer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=patience)
    server = _Announced(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await server.ready.wait()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


class _Announced(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


async def proposal_for(store: Store, conversation_id: str, draft: Draft) -> TurnResult:
    """What the graph would come to with this draft for the turn that waits for it."""
    turn_id = await queued_turn(store, conversation_id)
    work = await store.conversations.turns.begin(turn_id)
    assert isinstance(work, TurnWork)
    return TurnResult(
        turn_id=turn_id,
        workspace_id=work.workspace_id,
        conversation_id=conversation_id,
        upto_seq=work.upto_seq,
        question=work.question,
        draft=draft,
        triage=Triage(intent="question"),
        held_because=("Every reply is reviewed here.",),
    )


async def queued_turn(store: Store, conversation_id: str) -> str:
    """The turn that waits for the graph in this conversation."""
    query = select(turns.c.id).where(turns.c.conversation_id == conversation_id, turns.c.status == TurnStatus.QUEUED)
    async with database_of(store).read() as connection:
        return str((await connection.execute(query)).scalar_one())


def _handlers(web: WebDesk) -> Handlers:
    channels: dict[ChannelName, Channel] = {"web": WebChannel(web.store.cluster.events)}
    delivery = DeliveryJob(web.store.conversations.outbox, channels, web.store.cluster.events)

    async def answer(job: Job) -> RunAt | None:
        return await web.runner.answer(job.id)

    async def resume(job: Job) -> None:
        await web.runner.resume(job.id)

    by_kind = {JobKind.ANSWER: answer, JobKind.RESUME: resume, JobKind.DELIVER: delivery.deliver}
    return Handlers(by_kind, web.runner.give_up)
