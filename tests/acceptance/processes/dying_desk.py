"""A desk in a process of its own that SIGKILLs itself at a named point of the way of a message.

Run as `python -m tests.acceptance.processes.dying_desk FOLDER POINT PLATFORM_URL`. Every part is
the real one; at the point in question a subclass calls the real method and then pulls the plug, as a power cut would.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from commands.process.composition import Process, assemble, working
from graph.checkpoints.checkpointer import InterruptCheckpointer
from graph.checkpoints.opening import open_checkpoints
from graph.state import Deps
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from storage.conversations.admission.backpressure import BacklogMonitor
from storage.conversations.admission.control import AdmissionControl
from storage.conversations.intake import Accepted, MessageIntake
from storage.conversations.outbox import Outgoing
from storage.embeddings.opening import load_embedder
from storage.knowledge.search import Knowledge
from storage.knowledge.vectors import open_vectors
from storage.opening import migrate_database, open_store
from storage.records import Decision, DecisionKind, Hit, Incoming, Member, Role
from storage.settings import LimitsSettings, Settings
from storage.store import Store
from storage.turns.completion import TurnCompletion
from storage.turns.result import CommitResult, TurnResult
from storage.turns.reviews import DecidedReview, Reviews
from tests.simulators.platform import PlatformChannel
from tests.support.faq import FAQ
from tests.support.passwords import PASSWORD
from tests.support.rows import database_of
from tests.support.settings import settings_for

POINTS = (
    "after accept",
    "in the middle of the graph",
    "after the checkpoint of the interrupt",
    "after the interrupt",
    "after the decision",
    "after the commit",
    "in the middle of delivery",
)
HELD = ("after the checkpoint of the interrupt", "after the interrupt", "after the decision")
"""The points on the way of a message that a person must look at."""


def pull_the_plug() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class DyingArrivals(MessageIntake):
    async def accept(self, incoming: Incoming, gather_seconds: float = 0.0) -> Accepted:
        await super().accept(incoming, gather_seconds)
        pull_the_plug()
        raise AssertionError


class DyingKnowledge(Knowledge):
    async def search(
        self, workspace_id: str, query: str, limit: int = 5, exclude: Collection[str] = frozenset()
    ) -> tuple[Hit, ...]:
        await super().search(workspace_id, query, limit, exclude)
        pull_the_plug()
        raise AssertionError


class DyingCheckpoints(InterruptCheckpointer):
    async def persist(self, turn_id: str) -> str:
        await super().persist(turn_id)
        pull_the_plug()
        raise AssertionError


class DyingAtHold(TurnCompletion):
    async def hold(self, result: TurnResult, decision: Decision | None = None) -> CommitResult:
        await super().hold(result, decision)
        pull_the_plug()
        raise AssertionError


class DyingAtSend(TurnCompletion):
    async def send(self, result: TurnResult, *, decision: Decision | None = None) -> CommitResult:
        await super().send(result, decision=decision)
        pull_the_plug()
        raise AssertionError


class DyingReviews(Reviews):
    async def decide(self, member: Member, review_id: str, decision: Decision, *, based_on: int) -> DecidedReview:
        await super().decide(member, review_id, decision, based_on=based_on)
        pull_the_plug()
        raise AssertionError


class DyingChannel(PlatformChannel):
    """Dies between the platform's answer and our commit."""

    async def send(self, outgoing: Outgoing) -> str | None:
        await super().send(outgoing)
        pull_the_plug()
        raise AssertionError


def dying_store(store: Store, point: str) -> Store:
    """The store with the one part that dies."""
    parts: dict[str, Any] = {}
    match point:
        case "after accept":
            parts["intake"] = DyingArrivals(
                database_of(store), AdmissionControl(LimitsSettings()), BacklogMonitor(0, 0)
            )
        case "after the interrupt":
            parts["completion"] = DyingAtHold(database_of(store))
        case "after the commit":
            parts["completion"] = DyingAtSend(database_of(store))
        case "after the decision":
            parts["reviews"] = DyingReviews(database_of(store))
    return replace(store, conversations=replace(store.conversations, **parts))


async def main(folder: Path, point: str, platform_url: str) -> None:
    """Accept one message and walk on until the plug is pulled."""
    settings = settings_for(folder)
    await migrate_database(settings)
    embedder = load_embedder(settings)
    async with open_store(settings, embedder) as whole, open_checkpoints(settings) as opened:
        dies = point == "after the checkpoint of the interrupt"
        checkpoints = DyingCheckpoints(opened.durable) if dies else opened
        store = dying_store(whole, point)
        knowledge = store.knowledge.index
        if point == "in the middle of the graph":
            knowledge = DyingKnowledge(database_of(store), embedder, open_vectors(settings, embedder.model))
        deps = Deps(settings, knowledge, Classifier(embedder, load_examples()), None)
        channel = DyingChannel(platform_url) if point == "in the middle of delivery" else PlatformChannel(platform_url)
        process = assemble(settings, store, checkpoints, deps, {"slack": channel})
        async with working(process):
            await walk(process, settings, point)


async def walk(process: Process, settings: Settings, point: str) -> None:
    """The customer's message and, if a person must look, the agent's decision."""
    store = process.store
    await store.accounts.workspaces.create("demo", "Demo")
    agent = await store.accounts.members.add("demo", "agent@demo.example", "Alex Agent", Role.AGENT, PASSWORD)
    document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    await store.knowledge.catalogue.load_document(document.id)
    text = "I want my money back, refund me now" if point in HELD else "How do I reset my password?"
    await process.intake.accept(message(text))
    await process.jobs.idle()
    review = (await store.conversations.reviews.page("demo")).items[0]
    decision = Decision(kind=DecisionKind.EDIT, text="A person's reply.")
    await process.desk.decide(agent, review.id, decision, based_on=review.version)
    await process.jobs.idle()
    assert settings is process.settings


def message(text: str) -> Incoming:
    """The one customer message, with the same external id at every try."""
    return Incoming(
        workspace_id="demo",
        channel="slack",
        external_id="event-1",
        thread="thread-1",
        customer_external_id="customer-1",
        text=text,
    )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
