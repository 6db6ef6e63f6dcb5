"""A desk behind its REST interface, for tests that speak HTTP to it; `rest_fixtures` opens it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import insert
from starlette.responses import PlainTextResponse

from bot.web.channel import WebChannel
from commands.process.composition import Process, assemble
from commands.process.job_handlers import handlers_of
from graph.checkpoints.opening import open_checkpoints
from graph.state import Deps
from graph.triage.classifier import Classifier
from storage.clock import now
from storage.database.tables import accounts, members
from storage.embeddings.protocol import Embedder
from storage.records import Citation, Draft, Incoming, Member, Role, Triage, new_id
from storage.settings import Settings
from storage.store import Store
from storage.telemetry.metrics import Metrics
from storage.turns.begin import TurnWork
from storage.turns.result import CommitResult, TurnResult
from tests.support.passwords import PASSWORD
from tests.support.rows import database_of
from tests.support.store import open_test_store
from workbench.api.problems import install_problems
from workbench.api.routes import api_routes, install_metering
from workbench.http.body_limit import MEGABYTE, BodyLimitMiddleware
from workbench.http.unusable_text import UnusableTextMiddleware

API = "/api/v1"
DRAFT = Draft(
    text="Click Forgot password.",
    can_answer=True,
    confidence=0.42,
    citations=(Citation(chunk_id="c", document_id="d", title="How do I reset?", text="Click Forgot password."),),
    follow_ups=("How do I log in?",),
    model="verbatim",
)


@dataclass
class Caller:
    """Somebody who sends requests with their bearer."""

    client: httpx.AsyncClient
    token: str = ""

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """Read."""
        return await self.client.get(API + path, params=params, headers=self.headers)

    async def post(self, path: str, json: Any = None, **other: Any) -> httpx.Response:
        """Act."""
        return await self.client.post(API + path, json=json, headers=self.headers, **other)

    async def delete(self, path: str) -> httpx.Response:
        """Delete."""
        return await self.client.delete(API + path, headers=self.headers)

    async def upload(self, filename: str, content: bytes) -> httpx.Response:
        """Load a document."""
        return await self.post("/documents", files={"file": (filename, content)})

    @property
    def headers(self) -> dict[str, str]:
        """The bearer."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@dataclass
class Rest:
    """The desk, and the people who call it."""

    process: Process
    app: FastAPI
    client: httpx.AsyncClient
    agent: Caller
    admin: Caller
    stranger: Caller
    """The admin of another workspace."""
    nobody: Caller
    agent_member: Member
    admin_member: Member

    async def write(self, text: str = "How do I reset?", thread: str = "thread-1", workspace: str = "demo") -> str:
        """A customer writes; gives the conversation's id. No job runs unless the test starts them."""
        accepted = await self.process.store.conversations.intake.accept(incoming(text, thread, workspace))
        return accepted.conversation_id

    async def held(self, text: str = "How do I reset?", thread: str = "thread-1", workspace: str = "demo") -> str:
        """A draft for this text waits for a person; gives the review's id."""
        store = self.process.store
        accepted = await store.conversations.intake.accept(incoming(text, thread, workspace))
        assert accepted.turn_id
        work = await store.conversations.turns.begin(accepted.turn_id)
        assert isinstance(work, TurnWork)
        assert await store.conversations.completion.hold(proposal(work)) is CommitResult.COMMITTED
        review = await store.conversations.reviews.of_conversation(workspace, accepted.conversation_id)
        assert review
        return review.id

    def work(self) -> None:
        """Let the jobs run from now on."""
        self.process.jobs.start(handlers_of(self.process.runner, self.process.desk, self.process.delivery))


def incoming(text: str, thread: str = "thread-1", workspace: str = "demo") -> Incoming:
    """A customer's text."""
    return Incoming(
        workspace_id=workspace,
        channel="web",
        external_id=new_id(),
        thread=thread,
        customer_external_id=f"customer of {thread}",
        customer_name="Cleo",
        text=text,
    )


def proposal(work: TurnWork, draft: Draft = DRAFT) -> TurnResult:
    """What the graph came to."""
    return work.result(draft, Triage(intent="account"), held_because=("Every reply is reviewed here.",))


@asynccontextmanager
async def open_rest(settings: Settings, embedder: Embedder, classifier: Classifier) -> AsyncIterator[Rest]:
    """The desk with its members; requests reach it without a socket."""
    async with open_test_store(settings, embedder) as store, open_checkpoints(settings) as checkpoints:
        await store.accounts.workspaces.create("other", "Other")
        deps = Deps(settings, store.knowledge.index, classifier, None)
        process = assemble(settings, store, checkpoints, deps, {"web": WebChannel(store.cluster.events)})
        app = site_of(process)
        agent = await member_of(store, "demo", "agent@demo.example", "Alex Agent", Role.AGENT)
        admin = await member_of(store, "demo", "admin@demo.example", "Ada Admin", Role.ADMIN)
        stranger = await member_of(store, "other", "admin@other.example", "Otto Other", Role.ADMIN)
        # The server answers before the exception goes on to its log.
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            by_agent, by_admin, by_stranger = [
                Caller(client, await store.accounts.tokens.for_member(member)) for member in (agent, admin, stranger)
            ]
            try:
                yield Rest(process, app, client, by_agent, by_admin, by_stranger, Caller(client), agent, admin)
            finally:
                await process.jobs.stop()


@cache
def password_hash() -> str:
    """Made once: a good hash takes its time."""
    return PasswordHasher().hash(PASSWORD)


async def member_of(store: Store, workspace: str, email: str, name: str, role: Role) -> Member:
    """A member whose password is PASSWORD."""
    member = Member(new_id(), workspace, email, name, role)
    async with database_of(store).write() as connection:
        secret = {"password_hash": password_hash(), "created_at": now()}
        account = {"id": member.id, "email": email, "name": name, **secret}
        await connection.execute(insert(accounts).values(account))
        row = {**asdict(member), "account_id": member.id, **secret}
        await connection.execute(insert(members).values(row))
    return member


def site_of(process: Process) -> FastAPI:
    """The REST interface with something mounted at `/`, as the workbench is."""
    app = FastAPI(title="Deskhand", version="0.1.0", docs_url=None, redoc_url=None)
    measures = Metrics(process.workbench.registry, database_of(process.store))
    app.add_middleware(UnusableTextMiddleware)
    app.add_middleware(BodyLimitMiddleware, largest_file=process.settings.web.max_upload_mb * MEGABYTE)
    install_problems(app)
    install_metering(app, measures)
    app.include_router(api_routes(process.workbench, metrics=measures))
    app.mount("/", PlainTextResponse("the workbench"))
    return app


def assert_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem document, when it is one of this kind."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == kind, document
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document
