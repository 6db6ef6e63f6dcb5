"""A backup of a real desk under constant traffic, the desk's death, and what a restored desk knows and does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from commands.process.composition import Process, assemble, working
from graph.checkpoints.opening import open_checkpoints
from graph.state import Deps
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from storage.embeddings.protocol import Embedder
from storage.opening import migrate_database, open_store
from storage.operations.backup import back_up
from storage.operations.restore import restore
from storage.settings import Settings
from tests.acceptance.processes.dying_desk import message
from tests.simulators.platform import Platform, PlatformChannel, running_platform
from tests.support.command import (
    deskhand,
    environment_for,
    free_port,
    one_line,
    running,
)
from tests.support.faq import FAQ
from tests.support.passwords import PASSWORD
from tests.support.rest import API, Caller
from tests.support.rows import is_delivered
from tests.support.settings import settings_for
from tests.support.waiting import until

KNOWN = "How do I reset my password?"
RISKY = "I want my money back, refund me now"
REGISTRATION = {"workspace": "acme", "email": "ada@acme.example", "password": PASSWORD, "name": "Ada Admin"}


@dataclass
class Customer:
    """A customer of the web chat in a conversation of their own."""

    caller: Caller
    id: str

    async def write(self, text: str) -> None:
        """Accepted when this returns."""
        answer = await self.caller.post(f"/conversations/{self.id}/messages", {"text": text})
        assert answer.status_code == 202, answer.text

    async def said(self) -> list[tuple[str, str]]:
        """(author, text) of everything that the customer sees."""
        conversation = (await self.caller.get(f"/conversations/{self.id}")).json()
        return [(item["author"], item["text"]) for item in conversation["messages"]]


async def new_customer(client: httpx.AsyncClient) -> Customer:
    opened = (await client.post(f"{API}/conversations", json={"workspace": "acme", "customer": {}})).json()
    return Customer(Caller(client, opened["customer_token"]), opened["id"])


@dataclass
class Traffic:
    """Customers who come one after the other without a pause, each with a question."""

    client: httpx.AsyncClient
    accepted: list[Customer] = field(default_factory=list)
    stopped: bool = False

    async def flow(self) -> None:
        while not self.stopped:
            customer = await new_customer(self.client)
            await customer.write(KNOWN)
            self.accepted.append(customer)


@asynccontextmanager
async def flowing(client: httpx.AsyncClient) -> AsyncIterator[Traffic]:
    traffic = Traffic(client)
    task = asyncio.create_task(traffic.flow())
    try:
        yield traffic
    finally:
        traffic.stopped = True
        await task


def client_of(environment: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{environment['DESKHAND_WEB__PORT']}", timeout=60)


def desk_in(data_dir: Path) -> dict[str, str]:
    names = ("WEB__MESSAGES", "WEB__CONVERSATIONS", "LIMITS__CUSTOMER", "LIMITS__WORKSPACE")
    limits = {f"DESKHAND_{name}_PER_MINUTE": "0" for name in names} | {"DESKHAND_LIMITS__CUSTOMER_PER_HOUR": "0"}
    return environment_for(data_dir, **limits, DESKHAND_CONVERSATION__GATHER_SECONDS="0", DESKHAND_LOG__LEVEL="error")


async def open_shop(client: httpx.AsyncClient) -> Caller:
    """A workspace with an admin and some knowledge."""
    registered = await client.post(f"{API}/auth/register", json=REGISTRATION)
    admin = Caller(client, registered.json()["access_token"])
    document_id = (await admin.upload("faq.csv", FAQ)).json()["id"]

    async def ready() -> bool:
        return bool((await admin.get(f"/documents/{document_id}")).json()["status"] == "ready")

    await until(ready, 60)
    return admin


async def waiting_review(admin: Caller) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        items = (await admin.get("/reviews", status="pending")).json()["items"]
        return items[0] if items else None

    return await until(look, 60)


async def reply_to(customer: Customer) -> tuple[str, str]:
    async def look() -> tuple[str, str] | None:
        said = await customer.said()
        return said[-1] if said[-1][0] in ("bot", "agent") else None

    return await until(look, 60)


@dataclass(frozen=True)
class Known:
    """What the desk had accepted before its backup was made."""

    token: str
    answered: list[Customer]
    held: Customer
    review: dict[str, Any]


@pytest.mark.timeout(600)
async def test_a_desk_that_is_backed_up_under_traffic_and_dies_goes_on_elsewhere(tmp_path: Path) -> None:
    first, second = desk_in(tmp_path / "first"), desk_in(tmp_path / "second")
    backup = tmp_path / "backup.tar.gz"
    async with running(first, "up", "--no-demo") as (process, _), client_of(first) as client:
        known = await backed_up_under_traffic(first, client, backup)
        await approve(Caller(client, known.token), known.review)
        await neighbours_are_told(first, backup)
        process.kill()
    code, output, errors = await deskhand(second, "db", "restore", str(backup))
    assert code == 0, errors
    assert "Restored the desk of 2" in output
    assert "acme: 4 chunks" in output
    async with running(second, "up", "--no-demo"), client_of(second) as client:
        await logins_work(client, known.token)
        await messages_are_there_and_answered(client, known)
        await the_review_can_be_decided(client, known)
        newcomer = await new_customer(client)
        await newcomer.write(KNOWN)
        assert "Forgot password" in (await reply_to(newcomer))[1]


async def backed_up_under_traffic(desk: dict[str, str], client: httpx.AsyncClient, backup: Path) -> Known:
    admin = await open_shop(client)
    refund = await new_customer(client)
    await refund.write(RISKY)
    review = await waiting_review(admin)
    async with flowing(client) as traffic:
        await until(lambda: several(traffic, 3), 60)
        before = list(traffic.accepted)
        code, output, errors = await deskhand(desk, "db", "backup", str(backup))
        assert code == 0, errors
        assert f"Written: {backup}" in output
        count = len(traffic.accepted)
        await until(lambda: several(traffic, count + 3), 60)
    return Known(admin.token, before, refund, review)


async def logins_work(client: httpx.AsyncClient, token: str) -> None:
    assert (await Caller(client, token).get("/auth/me")).json()["email"] == REGISTRATION["email"]
    login = {"username": REGISTRATION["email"], "password": PASSWORD}
    assert (await client.post(f"{API}/auth/login", data=login)).status_code == 200


async def messages_are_there_and_answered(client: httpx.AsyncClient, known: Known) -> None:
    for customer in known.answered:
        again = returning(customer, client)
        assert (await reply_to(again))[0] == "bot"
        assert [author for author, _ in await again.said()] == ["customer", "bot"]


async def the_review_can_be_decided(client: httpx.AsyncClient, known: Known) -> None:
    """It was decided after the backup, so that here it waits again."""
    admin = Caller(client, known.token)
    assert (await waiting_review(admin))["id"] == known.review["id"]
    await approve(admin, known.review)
    assert (await reply_to(returning(known.held, client)))[1] == known.review["draft"]["text"]


def returning(customer: Customer, client: httpx.AsyncClient) -> Customer:
    """The same customer at another desk."""
    return Customer(Caller(client, customer.caller.token), customer.id)


async def several(traffic: Traffic, count: int) -> bool:
    return len(traffic.accepted) >= count


async def approve(admin: Caller, review: dict[str, Any]) -> None:
    decided = await admin.post(f"/reviews/{review['id']}/approve", {"version": review["version"]})
    assert decided.status_code == 200, decided.text


async def neighbours_are_told(running_desk: dict[str, str], backup: Path) -> None:
    """Beside a running desk: members can be looked after, nothing is restored, and no second desk starts."""
    another = {**running_desk, "DESKHAND_WEB__PORT": str(free_port())}
    listed, restored, started = await asyncio.gather(
        deskhand(running_desk, "member", "list", "--workspace", "acme"),
        deskhand(running_desk, "db", "restore", str(backup)),
        deskhand(another, "up"),
    )
    assert listed[0] == 0
    assert "ada@acme.example  admin" in listed[1]
    assert restored[0] == started[0] == 2
    assert one_line(restored[2]).endswith(": stop it first")
    assert "a desk runs on the data folder" in one_line(started[2])


@asynccontextmanager
async def desk_at(settings: Settings, platform: Platform, embedder: Embedder) -> AsyncIterator[Process]:
    await migrate_database(settings)
    async with open_store(settings, embedder) as store, open_checkpoints(settings) as checkpoints:
        deps = Deps(settings, store.knowledge.index, Classifier(embedder, load_examples()), None)
        yield assemble(settings, store, checkpoints, deps, {"slack": PlatformChannel(platform.url)})


@pytest.mark.parametrize("sent_since", [True, False])
async def test_a_reply_on_its_way_at_the_backup_is_seen_once(
    tmp_path: Path, embedder: Embedder, sent_since: bool
) -> None:
    old, new = settings_for(tmp_path / "old"), settings_for(tmp_path / "new")
    async with running_platform() as platform:
        async with desk_at(old, platform, embedder) as process:
            await process.store.accounts.workspaces.create("demo", "Demo")
            document = await process.store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
            await process.store.knowledge.catalogue.load_document(document.id)
            accepted = await process.intake.accept(message(KNOWN))
            await process.runner.answer(accepted.turn_id or "")
            await asyncio.to_thread(back_up, old, tmp_path / "backup.tar.gz")
            if sent_since:
                async with working(process):
                    await process.jobs.idle()
        assert len(platform.posts) == sent_since
        await restore(new, tmp_path / "backup.tar.gz")
        async with desk_at(new, platform, embedder) as process, working(process):
            await process.jobs.idle()
            assert await is_delivered(process.store)
        assert len(platform.posts) == 1
