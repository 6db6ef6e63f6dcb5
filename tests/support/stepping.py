"""Jobs that can be stopped between any two of their steps: to let others go first, or for good, like a power cut.

A step is what others can see: a transaction, a durable checkpoint, a post at the platform.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import ChannelError
from graph.checkpoints.checkpointer import InterruptCheckpointer
from storage.conversations.admission.backpressure import BacklogMonitor
from storage.conversations.admission.control import AdmissionControl
from storage.conversations.edits import MessageEdits
from storage.conversations.intake import MessageIntake
from storage.conversations.outbox import Outbox, Outgoing
from storage.conversations.reading import Conversations
from storage.database.engine import Database
from storage.queue.jobs import Job, RunAt
from storage.records import Author, ConversationStatus
from storage.settings import Settings
from storage.store import Store
from storage.turns.begin import Turns
from storage.turns.completion import TurnCompletion
from storage.turns.reviews import Reviews
from tests.support.rows import database_of
from tests.support.workers import DiscordReviewCards, Worker

LEASE_SECONDS = 3600.0
"""Longer than any test: it ends when the test says so."""
Fault = Literal["refuse", "lose the answer", "ask to wait", "refuse for good", "break"]


class PowerCut(BaseException):
    """The process is gone in the middle of its work."""


@dataclass(eq=False)
class Run:
    """One job at work."""

    worker: Worker
    job: Job
    steps: int | None
    """Steps until it is stopped; None: not at all."""
    dead: bool = False
    holding: str = ""
    """The delivery that it has begun to send."""
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[RunAt | None] | None" = None

    async def step(self) -> None:
        """A place to stop at."""
        if self.dead:
            raise PowerCut
        if self.steps is None:
            return
        if self.steps > 0:
            self.steps -= 1
            return
        self.go_on.clear()
        self.stopped.set()
        await self.go_on.wait()
        if self.dead:
            raise PowerCut

    async def advance(self, steps: int | None) -> bool:
        """Let it go on for so many steps; whether it has ended."""
        self.steps = steps
        self.stopped.clear()
        self.go_on.set()
        if self.task is None:
            self.task = asyncio.create_task(self._work())
        stopping = asyncio.create_task(self.stopped.wait())
        await asyncio.wait({self.task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        return self.task.done()

    async def cut(self) -> None:
        """Pull the plug: nothing that it still does reaches the rows."""
        self.dead = True
        self.go_on.set()
        if self.task is not None:
            await asyncio.wait({self.task})
            self.task.exception()

    async def _work(self) -> RunAt | None:
        current.set(self)
        return await self.worker.run(self.job)


current: ContextVar[Run | None] = ContextVar("current", default=None)


async def step() -> None:
    """A step of the job that runs here, if one does."""
    if run := current.get():
        await run.step()


class SteppingDatabase(Database):
    """The rows, with a place to stop before and after each transaction."""

    def __init__(self, inner: Database) -> None:
        self.url, self.is_sqlite = inner.url, inner.is_sqlite
        self.inner = inner

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self.inner.read() as connection:
            yield connection
        await step()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        await step()
        async with self.inner.write() as connection:
            yield connection
        await step()


class SteppingCheckpoints(InterruptCheckpointer):
    """Checkpoints, with a place to stop between each and the rows."""

    async def persist(self, turn_id: str) -> str:
        await step()
        checkpoint_id = await super().persist(turn_id)
        await step()
        return checkpoint_id

    async def delete(self, turn_ids: Sequence[str]) -> None:
        await step()
        await super().delete(turn_ids)
        await step()


@dataclass
class RoughBoard(DiscordReviewCards):
    """A platform that fails, and posts in steps."""

    faults: deque[Fault] = field(default_factory=deque)

    async def send(self, outgoing: Outgoing) -> str:
        await step()
        fault = self.faults.popleft() if self.faults else None
        match fault:
            case "refuse":
                raise ChannelError("not now")
            case "ask to wait":
                raise ChannelError("too much", retry_after=60)
            case "refuse for good":
                raise ChannelError("never", permanent=True)
            case "break":
                raise KeyError(outgoing.delivery_id)
        number = await super().send(outgoing)
        await step()
        if fault == "lose the answer":
            raise ChannelError("no answer")
        return number


class WatchedOutbox(Outbox):
    """Notes what is begun, and what begins while a person has the conversation."""

    def __init__(self, database: SteppingDatabase, violations: list[str]) -> None:
        super().__init__(database, LEASE_SECONDS)
        self._at_once = Outbox(database.inner, LEASE_SECONDS)
        self._conversations = Conversations(database.inner)
        self._violations = violations

    async def begin(self, outgoing: Outgoing) -> bool:
        await step()
        begun = await self._at_once.begin(outgoing)
        if begun:
            await self._look(outgoing)
        await step()
        return begun

    async def _look(self, outgoing: Outgoing) -> None:
        if run := current.get():
            run.holding = outgoing.delivery_id
        conversation = await self._conversations.read(outgoing.workspace_id, outgoing.conversation_id)
        own = outgoing.message.author is Author.BOT and outgoing.message.member_id is None
        if own and conversation.status is ConversationStatus.ASSIGNED:
            self._violations.append(f"spoke while a person had the conversation: {outgoing.message.text}")


def stepping_store(store: Store, settings: Settings, violations: list[str]) -> Store:
    """The store with a place to stop at each of its transactions; what speaks over a person is noted."""
    database = SteppingDatabase(database_of(store))
    conversations = replace(
        store.conversations,
        intake=MessageIntake(database, AdmissionControl(settings.limits), BacklogMonitor(0, 1)),
        edits=MessageEdits(database),
        reading=Conversations(database),
        turns=Turns(database),
        completion=TurnCompletion(database),
        reviews=Reviews(database),
        outbox=WatchedOutbox(database, violations),
    )
    return replace(store, conversations=conversations)
