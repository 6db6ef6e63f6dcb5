"""A queue at work in a test: the rows under it, one handler, and what was dead-lettered."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, update

from storage.clock import now
from storage.database.engine import Database
from storage.database.tables import (
    conversations,
    customers,
    deliveries,
    documents,
    messages,
    turns,
)
from storage.queue.jobs import (
    Handler,
    Handlers,
    Job,
    JobKind,
    JobQueue,
    Queue,
    RunAt,
)
from storage.queue.opening import open_jobs
from storage.queue.periodic import PeriodicTask
from storage.records import (
    Author,
    ConversationStatus,
    DeliveryStatus,
    DocumentStatus,
    Priority,
    TurnStatus,
    Visibility,
    new_id,
)
from storage.settings import Settings
from tests.support.waiting import until

QUICK: dict[str, Any] = {"concurrency": 4, "max_attempts": 3, "retry_seconds": 0.02, "reconcile_seconds": 1}


@dataclass
class Diary:
    """What the queue has done, in order."""

    done: list[str] = field(default_factory=list)
    given_up: list[tuple[str, str]] = field(default_factory=list)

    async def handler(self, job: Job) -> RunAt | None:
        """Note the job."""
        self.done.append(job.id)
        return None

    async def on_dead_letter(self, job: Job, reason: str) -> None:
        """Note what was given up."""
        self.given_up.append((job.id, reason))

    async def has_done(self, *ids: str) -> None:
        """Wait until these are done."""

        async def are_done() -> bool:
            return set(ids) <= set(self.done)

        await until(are_done)


class Watch:
    """Sees how many jobs of one key run beside each other; replies and summaries have keys of their own."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._running = Counter[str]()
        self.highest = 0

    async def handler(self, item: Job) -> RunAt | None:
        """The handler, watched."""
        key = f"{item.kind} {item.key}" if item.kind in (JobKind.DELIVER, JobKind.SUMMARISE) else item.key
        self._running[key] += 1
        self.highest = max(self.highest, self._running[key])
        try:
            return await self._handler(item)
        finally:
            self._running[key] -= 1
            self._running += Counter()


@dataclass(frozen=True)
class Rows:
    """A migrated database with a workspace `demo` in it, and the settings of its desk."""

    settings: Settings
    database: Database

    @asynccontextmanager
    async def working(
        self,
        handler: Handler,
        diary: Diary | None = None,
        *,
        queues: Collection[Queue] | None = None,
        periodic_tasks: Sequence[PeriodicTask] = (),
        **settings: Any,
    ) -> AsyncIterator[JobQueue]:
        """A process that works on the queue over these rows."""
        changed = self.settings.jobs.model_copy(update=QUICK | settings)
        watch = Watch(handler)
        async with open_jobs(self.settings.model_copy(update={"jobs": changed}), self.database) as jobs:
            handlers = Handlers(dict.fromkeys(JobKind, watch.handler), (diary or Diary()).on_dead_letter)
            jobs.start(handlers, queues=queues, periodic_tasks=periodic_tasks)
            yield jobs
        assert watch.highest <= 1, "two jobs of one key ran beside each other"

    async def conversation(self, channel: str = "web") -> str:
        """A customer's conversation; gives its id."""
        ids = {"id": new_id(), "workspace_id": "demo", "channel": channel, "created_at": now()}
        status = {"status": ConversationStatus.OPEN, "priority": Priority.MEDIUM, "updated_at": now()}
        async with self.database.write() as connection:
            await connection.execute(insert(customers).values(**ids, external_id=ids["id"]))
            await connection.execute(
                insert(conversations).values(**ids, **status, customer_id=ids["id"], thread=ids["id"])
            )
        return str(ids["id"])

    async def turn(self, conversation_id: str, age: timedelta = timedelta(0)) -> str:
        """A queued turn of which the queue knows nothing; gives its id."""
        values = {"id": new_id(), "workspace_id": "demo", "conversation_id": conversation_id, "status": "queued"}
        async with self.database.write() as connection:
            await connection.execute(insert(turns).values(**values, due_at=now() - age, created_at=now() - age))
        return str(values["id"])

    async def reply(self, channel: str = "web") -> str:
        """A conversation with a reply in its outbox; gives its id."""
        conversation_id, message_id = await self.conversation(channel), new_id()
        ids = {"workspace_id": "demo", "conversation_id": conversation_id, "channel": channel, "seq": 1}
        words = {"author": Author.BOT, "visibility": Visibility.PUBLIC, "text": "An answer.", "created_at": now()}
        times = {"next_attempt_at": now(), "created_at": now()}
        async with self.database.write() as connection:
            await connection.execute(insert(messages).values(id=message_id, **ids, **words))
            await connection.execute(
                insert(deliveries).values(id=new_id(), **ids, **times, message_id=message_id, status="pending")
            )
        return conversation_id

    async def delivered(self, conversation_id: str) -> None:
        """The outbox is empty."""
        sent = update(deliveries).where(deliveries.c.conversation_id == conversation_id)
        async with self.database.write() as connection:
            await connection.execute(sent.values(status=DeliveryStatus.SENT))

    async def answered(self, turn_id: str) -> None:
        """The turn is over."""
        async with self.database.write() as connection:
            await connection.execute(update(turns).where(turns.c.id == turn_id).values(status=TurnStatus.DONE))

    async def document(self) -> str:
        """A document that is to be loaded; gives its id."""
        values = {"id": new_id(), "workspace_id": "demo", "filename": "faq.csv", "status": DocumentStatus.LOADING}
        async with self.database.write() as connection:
            await connection.execute(
                insert(documents).values(**values, rejected_rows=[], size=0, content=b"", created_at=now())
            )
        return str(values["id"])


def job(name: str, key: str = "key", kind: JobKind = JobKind.ANSWER) -> Job:
    """A job that no row asks for."""
    return Job(kind, name, key)


class HeldHandler:
    """A handler that says when it has begun and waits until it may go on."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self.begun = asyncio.Event()
        self.open = asyncio.Event()

    async def handler(self, item: Job) -> RunAt | None:
        """Wait, then note the job."""
        self.begun.set()
        await self.open.wait()
        return await self._diary.handler(item)
