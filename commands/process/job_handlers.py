"""Job dispatch: which handler does which kind of job, and who takes what every try has failed at."""

from collections.abc import Awaitable, Callable

from bot.delivery import DeliveryJob
from graph.desk import Desk
from graph.turn_runner import TurnRunner
from storage.queue.jobs import (
    Handler,
    Handlers,
    Job,
    JobKind,
    OnDeadLetter,
    RunAt,
)


def handlers_of(runner: TurnRunner, desk: Desk, delivery: DeliveryJob) -> Handlers:
    """Who does which job, and who is told when every try has failed."""
    handlers: dict[JobKind, Handler] = {
        JobKind.ANSWER: by_id(runner.answer),
        JobKind.RESUME: by_id(runner.resume),
        JobKind.SUMMARISE: by_id(runner.summarise),
        JobKind.LOAD: by_id(desk.load_document),
        JobKind.DELIVER: delivery.deliver,
    }
    on_dead_letter_by_kind: dict[JobKind, OnDeadLetter] = {
        JobKind.ANSWER: runner.give_up,
        JobKind.RESUME: runner.give_up,
        JobKind.LOAD: desk.give_up_document,
        JobKind.DELIVER: delivery.give_up,
    }

    async def give_up(job: Job, reason: str) -> None:
        # A summary that failed stays as it is until the conversation's next turn.
        if job.kind in on_dead_letter_by_kind:
            await on_dead_letter_by_kind[job.kind](job, reason)

    return Handlers(handlers, give_up)


def by_id(work: Callable[[str], Awaitable[RunAt | None]]) -> Handler:
    """A handler for work that needs nothing of its job but the id."""

    async def handle(job: Job) -> RunAt | None:
        return await work(job.id)

    return handle
