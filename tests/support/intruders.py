"""A served desk with a victim's workspace in it, and clients of everybody who may not have what is there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from storage.records import Incoming, Member, Mode, Role, new_id
from storage.turns.begin import TurnWork
from storage.turns.result import CommitResult
from tests.support.rest import DRAFT, member_of, proposal
from tests.support.served import Served, serve_desk
from tests.support.settings import settings_for
from workbench.auth.sessions import SESSION_COOKIE

SECRET = "xylophone-9417"
"""No answer to an intruder may hold it."""
CONFIDENTIAL_FAQ = f"question,answer\nHow do I reset?,Say {SECRET}.\n".encode()


@dataclass(frozen=True, slots=True)
class Visitor:
    """One person's browser and program in one: their cookie and their bearer, or neither."""

    client: httpx.AsyncClient

    async def join(self, fn_index: int, data: list[Any], session: str, **more: Any) -> httpx.Response:
        """Start a Gradio event as the page's script does."""
        body = {"fn_index": fn_index, "data": data, "session_hash": session, **more}
        return await self.client.post("/gradio_api/queue/join", json=body)

    async def outcome(self, session: str) -> str:
        """The line that says what became of the session's event."""
        path = f"/gradio_api/queue/data?session_hash={session}"
        async with self.client.stream("GET", path) as events:
            async for line in events.aiter_lines():
                if "process_completed" in line or events.status_code != httpx.codes.OK:
                    return line
        return ""

    async def event(self, fn_index: int, data: list[Any], **more: Any) -> str:
        """What an event answers; the refusal, if it is not even let in."""
        session = new_id()
        joined = await self.join(fn_index, data, session, **more)
        return await self.outcome(session) if joined.status_code == httpx.codes.OK else joined.text

    async def call(self, component_id: int, function: str, asked: object, session: str) -> httpx.Response:
        """Call a page's server function."""
        body = {"data": asked, "component_id": component_id, "fn_name": function, "session_hash": session}
        return await self.client.post("/gradio_api/component_server", json=body)


@dataclass(frozen=True, slots=True)
class Prey:
    """The victim's rows, which nobody else may see or change."""

    member_id: str
    document_id: str
    conversation_id: str
    review_id: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The desk, what is to be had, and who tries."""

    served: Served
    folder: Path
    prey: Prey
    victim: Visitor
    """The admin whose rows they are."""
    agent: Visitor
    """Of the victim's own workspace."""
    foreign: Visitor
    """The admin of another workspace."""
    nobody: Visitor

    async def rows(self) -> object:
        """Everything of the victim's that an intruder could have changed."""
        store, prey = self.served.process.store, self.prey
        return (
            await store.accounts.workspaces.read("victim"),
            await store.accounts.members.all("victim"),
            await store.accounts.canned_replies.all("victim"),
            [(document.id, document.filename) for document in await store.knowledge.catalogue.list("victim")],
            await store.conversations.reading.read("victim", prey.conversation_id),
            await store.conversations.reviews.read("victim", prey.review_id),
            await store.conversations.messages.of_conversation("victim", prey.conversation_id, internal=True),
        )


@asynccontextmanager
async def open_scene(folder: Path) -> AsyncIterator[Scene]:
    """Serve the desk with both workspaces, and log everybody in."""
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serve_desk(settings_for(folder)))
        store = served.process.store
        await store.accounts.workspaces.create("victim", "Victim")
        await store.accounts.workspaces.create("other", "Other")
        owner = await member_of(store, "victim", "owner@victim.example", "Olga Owner", Role.ADMIN)
        agent = await member_of(store, "victim", "agent@victim.example", "Alex Agent", Role.AGENT)
        stranger = await member_of(store, "other", "admin@other.example", "Otto Other", Role.ADMIN)
        await store.accounts.workspaces.change_settings(owner, mode=Mode.OFF)

        async def visitor(member: Member | None) -> Visitor:
            token = await store.accounts.tokens.for_member(member) if member else ""
            client = httpx.AsyncClient(
                base_url=served.base_url,
                cookies={SESSION_COOKIE: token} if token else {},
                headers={"Authorization": f"Bearer {token}"} if token else {},
            )
            return Visitor(await stack.enter_async_context(client))

        yield Scene(
            served,
            folder,
            await _lay_out(served, owner),
            await visitor(owner),
            await visitor(agent),
            await visitor(stranger),
            await visitor(None),
        )


async def _lay_out(served: Served, owner: Member) -> Prey:
    store = served.process.store
    document = await store.knowledge.catalogue.create("victim", f"{SECRET}.csv", CONFIDENTIAL_FAQ)
    await store.knowledge.catalogue.load_document(document.id)
    written = Incoming(
        workspace_id="victim",
        channel="web",
        external_id=new_id(),
        thread="prey",
        customer_external_id="prey",
        customer_name=f"Cleo {SECRET}",
        text=f"How do I reset my {SECRET}?",
    )
    accepted = await store.conversations.intake.accept(written)
    assert accepted.turn_id
    work = await store.conversations.turns.begin(accepted.turn_id)
    assert isinstance(work, TurnWork)
    assert await store.conversations.completion.hold(proposal(work, DRAFT)) is CommitResult.COMMITTED
    review = await store.conversations.reviews.of_conversation("victim", accepted.conversation_id)
    assert review
    return Prey(owner.id, document.id, accepted.conversation_id, review.id)
