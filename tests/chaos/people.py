"""Customers who write until they are heard, and agents who decide what is held."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.waiting import until

API = "/api/v1"
WORKSPACE = "storm"
PASSWORD = "a long enough password"
EMAIL = "ada@storm.example"
TEXTS = (
    "How do I reset my password?",
    "How do I export my data?",
    "Which browsers are supported?",
    "does it run in firefox",
    "I want my money back, refund me now",
    "What is the meaning of the purple lamp on level nine?",
    "This is terrible, nothing works and I am angry",
    "thanks!",
)
LOST = (httpx.TransportError, httpx.InvalidURL)
"""The desk is not there, or went away before it answered."""
UNTIL_HEARD = 300.0
"""Seconds after which a customer who is never answered counts as stranded."""


@dataclass
class Tally:
    """What people have seen."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    """Text by the id that the rows have for it: the conversation, a colon, the customer's own."""
    tokens: dict[str, str] = field(default_factory=dict)
    """The customer's bearer by conversation."""
    retries: int = 0
    """Posts that had to be sent again."""
    decisions: int = 0
    too_late: int = 0
    """Decisions that were refused: already decided, or stale."""


@asynccontextmanager
async def calling(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client for one person."""
    async with httpx.AsyncClient(base_url=url + API, timeout=20) as client:
        yield client


async def stubbornly(client: httpx.AsyncClient, tally: Tally, path: str, **request: Any) -> httpx.Response:
    """Send the same again until the desk answers something that is not its own failure."""
    async with asyncio.timeout(UNTIL_HEARD):
        while True:
            try:
                response = await client.post(path, **request)
            except LOST:
                tally.retries += 1
            else:
                if response.status_code < 500 and response.status_code != 429:
                    return response
                tally.retries += 1
            await asyncio.sleep(0.25)


async def register(url: str, faq: bytes) -> str:
    """Make the workspace with its knowledge; gives the admin's bearer."""
    tally = Tally()
    body = {"workspace": WORKSPACE, "workspace_name": "Storm", "email": EMAIL, "name": "Ada", "password": PASSWORD}
    async with calling(url) as client:
        registered = await stubbornly(client, tally, "/auth/register", json=body)
        registered.raise_for_status()
        headers = {"Authorization": f"Bearer {registered.json()['access_token']}"}
        loaded = await stubbornly(client, tally, "/documents", headers=headers, files={"file": ("faq.csv", faq)})
        loaded.raise_for_status()
        await until(lambda: _is_ready(client, loaded.json()["id"], headers), UNTIL_HEARD)
    return str(registered.json()["access_token"])


async def _is_ready(client: httpx.AsyncClient, document_id: str, headers: dict[str, str]) -> bool:
    return bool((await client.get(f"/documents/{document_id}", headers=headers)).json()["status"] == "ready")


class Customer:
    """Writes so many messages into one conversation, each until it is acknowledged, some of them twice."""

    def __init__(self, number: int, seed: int, tally: Tally) -> None:
        self._number = number
        self._random = random.Random(f"{seed} customer {number}")  # noqa: S311 - chance, not a secret
        self._tally = tally

    async def write(self, url: str, messages: int, pause_seconds: float) -> None:
        """Write them all, with pauses of about this length."""
        async with calling(url) as client:
            opened = await stubbornly(
                client,
                self._tally,
                "/conversations",
                json={"workspace": WORKSPACE, "customer": {"name": f"Customer {self._number}"}},
            )
            opened.raise_for_status()
            conversation, token = opened.json()["id"], opened.json()["customer_token"]
            self._tally.tokens[conversation] = token
            for number in range(messages):
                await self._say(client, conversation, token, f"c{self._number}-{number}")
                await asyncio.sleep(self._random.expovariate(1 / pause_seconds))

    async def _say(self, client: httpx.AsyncClient, conversation: str, token: str, external_id: str) -> None:
        text = f"{self._random.choice(TEXTS)} ({external_id})"
        request = {
            "json": {"text": text, "external_id": external_id},
            "headers": {"Authorization": f"Bearer {token}"},
        }
        path = f"/conversations/{conversation}/messages"
        said = await stubbornly(client, self._tally, path, **request)
        assert said.status_code == 202, said.text
        self._tally.acknowledged[f"{conversation}:{external_id}"] = text
        if self._random.random() < 0.1:
            again = await stubbornly(client, self._tally, path, **request)
            assert again.json()["id"] == said.json()["id"]


class Agents:
    """Decide what waits, some of them late, twice or on an old version."""

    def __init__(self, url: str, token: str, seed: int, tally: Tally) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._random = random.Random(f"{seed} agents")  # noqa: S311 - chance, not a secret
        self._tally = tally

    async def work(self) -> None:
        """Until cancelled."""
        async with calling(self._url) as client:
            while True:
                for review in await self._waiting(client):
                    await self._decide(client, review)
                await asyncio.sleep(0.3)

    async def finish(self) -> bool:
        """Approve all that waits now, or answer it by an edit; whether nothing was left."""
        async with calling(self._url) as client:
            waiting = await self._waiting(client)
            for review in waiting:
                body = {"version": review["version"], "text": "Here is your answer."}
                await self._send(client, review, "edit", body)
            return not waiting

    async def _waiting(self, client: httpx.AsyncClient) -> Sequence[dict[str, Any]]:
        try:
            found = await client.get("/reviews", params={"status": "pending", "limit": 50}, headers=self._headers)
        except LOST:
            return ()
        return found.json()["items"] if found.is_success else ()

    async def _decide(self, client: httpx.AsyncClient, review: dict[str, Any]) -> None:
        version = review["version"] + (self._random.random() < 0.1)
        kinds = ("approve", "edit", "reject", "dismiss", "escalate")
        several = 2 if self._random.random() < 0.2 else 1
        chosen = self._random.choices(kinds, (45, 25, 15, 10, 5), k=several)
        bodies: dict[str, dict[str, Any]] = {
            "approve": {"version": version},
            "edit": {"version": version, "text": "A person wrote this."},
            "reject": {"version": version, "guidance": "Be brief."},
            "dismiss": {"version": version},
            "escalate": {"version": version},
        }
        await asyncio.gather(*(self._send(client, review, kind, bodies[kind]) for kind in chosen))

    async def _send(self, client: httpx.AsyncClient, review: dict[str, Any], kind: str, body: dict[str, Any]) -> None:
        try:
            decided = await client.post(f"/reviews/{review['id']}/{kind}", json=body, headers=self._headers)
        except LOST:
            return
        if decided.is_success:
            self._tally.decisions += 1
        elif decided.status_code == 409:
            self._tally.too_late += 1
