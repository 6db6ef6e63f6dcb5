"""Who does which kind of job."""

from collections.abc import Awaitable, Callable

from bot.delivery import Delivery
from graph.desk import Desk
from storage.queue.jobs import (
    Handler,
    Handlers,
    Job,
    JobKind,
    OnDeadLetter,
    RunAt,
)
from storage.store import Store


def handlers_of(desk: Desk, delivery: Delivery, store: Store) -> Handlers:
    """Who does which job, and who is told when every try has failed."""

    async def load(document_id: str) -> None:
        document = await store.knowledge.catalogue.load_document(document_id)
        store.cluster.events.publish(document.workspace_id)

    async def fail_load(job: Job, reason: str) -> None:
        await store.knowledge.catalogue.give_up(job.id, reason)

    handlers: dict[JobKind, Handler] = {
        JobKind.ANSWER: by_id(desk.answer),
        JobKind.RESUME: by_id(desk.resume),
        JobKind.SUMMARISE: by_id(desk.summarise),
        JobKind.LOAD: by_id(load),
        JobKind.DELIVER: delivery.deliver,
    }
    last_resorts: dict[JobKind, OnDeadLetter] = {
        JobKind.ANSWER: desk.give_up,
        JobKind.RESUME: desk.give_up,
        JobKind.LOAD: fail_load,
        JobKind.DELIVER: delivery.give_up,
    }

    async def give_up(job: Job, reason: str) -> None:
        # A summary that failed stays as it is until the conversation's next turn.
        if job.kind in last_resorts:
            await last_resorts[job.kind](job, reason)

    return Handlers(handlers, give_up)


def by_id(work: Callable[[str], Awaitable[RunAt | None]]) -> Handler:
    """A handler for work that needs nothing of its job but the id."""

    async def handle(job: Job) -> RunAt | None:
        return await work(job.id)

    return handle
