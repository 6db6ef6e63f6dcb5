"""Workers of one desk: each a process of its own as far as the rows can tell, driven job by job by a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from langgraph.checkpoint.base import BaseCheckpointSaver

from bot.delivery import DeliveryJob
from bot.intake import Intake
from graph.checkpoints.checkpointer import InterruptCheckpointer
from graph.checkpoints.opening import open_checkpoints
from graph.desk import Desk
from graph.machine import build_machine
from graph.state import Deps
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from graph.turn_runner import TurnRunner
from storage import clock
from storage.backoff import RetryPolicy
from storage.conversations.outbox import Outbox, Outgoing
from storage.embeddings.caching import CachingEmbedder
from storage.knowledge.search import Knowledge
from storage.queue.jobs import Job, JobKind, RunAt
from storage.records import (
    ChannelName,
    Conversation,
    Incoming,
    Member,
    Message,
    Review,
    ReviewStatus,
    Role,
    new_id,
)
from storage.settings import Settings
from storage.store import Store
from tests.support.faq import FAQ
from tests.support.passwords import PASSWORD
from tests.support.rows import database_of
from tests.support.store import open_test_store

KNOWN, EXPORT = "How do I reset my password?", "How do I export my data?"
"""What the bot answers alone."""
RISKY = "I want my money back, refund me"
"""What a person must look at."""


@dataclass
class DiscordReviewCards:
    """A remote platform without a socket: shows what is posted, and finds it again by the delivery."""

    name: ChannelName = "slack"
    idempotent: bool = False
    posts: list[Outgoing] = field(default_factory=list)

    async def send(self, outgoing: Outgoing) -> str:
        """Post a reply, unless an earlier try has."""
        if outgoing.attempts:
            for number, post in enumerate(self.posts):
                if post.delivery_id == outgoing.delivery_id:
                    return str(number)
        self.posts.append(outgoing)
        return str(len(self.posts) - 1)

    async def show_typing(self, conversation: Conversation, *, on: bool) -> None:
        """It has no such sign."""

    @property
    def texts(self) -> list[str]:
        """What it shows."""
        return [post.message.text for post in self.posts]


class Pile:
    """A queue without a worker: the test picks what runs next."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    async def enqueue(self, job: Job, *, due: datetime | None = None) -> None:  # noqa: ARG002 - the queue's signature
        """Take a job; the same one is not taken twice."""
        if all((known.kind, known.id) != (job.kind, job.id) for known in self.jobs):
            self.jobs.append(job)


@dataclass
class Worker:
    """One process: the desk, the intake and the deliveries over the shared rows."""

    desk: Desk
    runner: TurnRunner
    intake: Intake
    delivery: DeliveryJob
    pile: Pile

    async def run(self, job: Job) -> RunAt | None:
        """Do one job."""
        match job.kind:
            case JobKind.ANSWER:
                return await self.runner.answer(job.id)
            case JobKind.RESUME:
                await self.runner.resume(job.id)
            case JobKind.DELIVER:
                return await self.delivery.deliver(job)
            case _:
                raise NotImplementedError
        return None

    async def drain(self) -> None:
        """Do jobs until there are none."""
        while self.pile.jobs:
            job = self.pile.jobs.pop(0)
            if later := await self.run(job):
                await asyncio.sleep(max((later.until - clock.now()).total_seconds(), 0.0))
                await self.pile.enqueue(job)

    def take(self, kind: JobKind) -> Job:
        """Take a waiting job of this kind off the pile."""
        job = next(job for job in self.pile.jobs if job.kind is kind)
        self.pile.jobs.remove(job)
        return job


@dataclass
class Desks:
    """The rows, and as many workers over them as a test asks for."""

    settings: Settings
    store: Store
    board: DiscordReviewCards
    agents: list[Member]
    durable: BaseCheckpointSaver[str]
    """Where the checkpoints of what waits are kept."""
    _classifier: Classifier

    def worker(
        self,
        store: Store | None = None,
        knowledge: Knowledge | None = None,
        checkpoints: InterruptCheckpointer | None = None,
    ) -> Worker:
        """A worker with nothing in its memory."""
        store, pile = store or self.store, Pile()
        checkpoints = checkpoints or InterruptCheckpointer(self.durable)
        deps = Deps(self.settings, knowledge or store.knowledge.index, self._classifier, None)
        runner = TurnRunner(build_machine(checkpoints), checkpoints, deps, store, pile)
        intake = Intake(store.conversations.intake, store.conversations.edits, pile, store.cluster.events, 0)
        retries = RetryPolicy(max_attempts=3, first_pause=0.001)
        delivery = DeliveryJob(store.conversations.outbox, {"slack": self.board}, store.cluster.events, retries)
        return Worker(Desk(runner, store, pile), runner, intake, delivery, pile)

    async def pending(self) -> list[Review]:
        """The reviews that wait."""
        return list((await self.store.conversations.reviews.page("demo", ReviewStatus.PENDING)).items)

    async def said(self, conversation_id: str, *, internal: bool = False) -> list[Message]:
        """What is in a conversation."""
        return await self.store.conversations.messages.of_conversation("demo", conversation_id, internal=internal)

    async def checkpoints(self) -> int:
        """How many are kept durably."""
        return len([item async for item in self.durable.alist(None)])


def incoming(text: str, external_id: str = "", thread: str = "thread") -> Incoming:
    """What a customer wrote on the platform."""
    return Incoming("demo", "slack", external_id or new_id(), thread, f"customer of {thread}", text)


@asynccontextmanager
async def open_desks(settings: Settings, embedder: CachingEmbedder, classifier: Classifier) -> AsyncIterator[Desks]:
    """A desk with the FAQ and three agents."""
    async with open_test_store(settings, embedder) as opened, open_checkpoints(settings) as checkpoints:
        # Who finds a reply in another worker's hands looks again when the lease would end.
        outbox = Outbox(database_of(opened), lease_seconds=1.0)
        store = replace(opened, conversations=replace(opened.conversations, outbox=outbox))
        document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
        await store.knowledge.catalogue.load_document(document.id)
        agents = [
            await store.accounts.members.add("demo", f"{name}@demo.example", name, Role.AGENT, PASSWORD)
            for name in ("Alex", "Bea", "Cem")
        ]
        yield Desks(settings, store, DiscordReviewCards(), agents, checkpoints.durable, classifier)


def load_classifier(embedder: CachingEmbedder) -> Classifier:
    """The classifier, fitted to its examples."""
    return Classifier(embedder, load_examples())
