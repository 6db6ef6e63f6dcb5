"""The vocabulary of the job queue: jobs, their handlers, and the interface of both queues.

`storage.queue.opening` opens the queue that fits the database.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from storage import clock
from storage.queue.periodic import PeriodicTask


class JobKind(StrEnum):
    """What there is to do."""

    ANSWER = "answer"
    """Run the graph over a turn; `Job.id` is the turn's id."""
    RESUME = "resume"
    """Let a decision take effect; `Job.id` is the review's id."""
    DELIVER = "deliver"
    """Send what a conversation's outbox holds; `Job.id` is the conversation's id."""
    SUMMARISE = "summarise"
    """Fold a long conversation's older messages into its summary; `Job.id` is the conversation's id."""
    LOAD = "load"
    """Make a document findable; `Job.id` is the document's id."""


LONG = frozenset({JobKind.LOAD, JobKind.SUMMARISE})
"""What a stopping desk does not wait for: it runs again at the next start."""


IMMEDIATE = frozenset({JobKind.DELIVER, JobKind.RESUME})
"""Nobody wrote anything for these: a reply that is ready goes out before a new one is made."""


class Queue(StrEnum):
    """Where jobs wait: what needs the graph in one place, deliveries with whoever holds their channel's connection."""

    DESK = "desk"
    DESK_LONG = "desk-long"
    """What takes long at the desk; served wherever `DESK` is, half as many beside each other."""
    DELIVER_WEB = "deliver-web"
    DELIVER_SLACK = "deliver-slack"
    DELIVER_DISCORD = "deliver-discord"


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do; the rows are the truth, so a job that comes twice does nothing the second time."""

    kind: JobKind
    id: str
    key: str
    """The lock key (a conversation, a document): jobs of one key run one after the other."""
    attempt: int = 0
    """Failed tries before this one: for jobs what `failures` is for a delivery."""
    rank: int = 0
    """Of the jobs that are due, lower ones go first (storage/conversations/admission/fair_queue.py)."""


def ranked(job: Job) -> Job:
    """A turn without a rank, or a document, is served with those that come now."""
    if job.rank or job.kind in IMMEDIATE:
        return job
    return replace(job, rank=int(clock.timestamp()))


@dataclass(frozen=True, slots=True)
class RunAt:
    """What a handler returns when its job may not run before a certain time."""

    until: datetime


class RetryAfterError(Exception):
    """A handler's work failed for now."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        self.reason = reason
        self.seconds = seconds
        """When to try again; None: the queue's own back-off."""
        super().__init__(reason)


Handler = Callable[[Job], Awaitable[RunAt | None]]
OnDeadLetter = Callable[[Job, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handlers:
    """Who does each kind of job."""

    by_kind: Mapping[JobKind, Handler]
    on_dead_letter: OnDeadLetter
    """Called once with the reason when every try at a job has failed."""


class Jobs(Protocol):
    """What intake and the desk see of the queue."""

    async def enqueue(self, job: Job, *, due: datetime | None = None) -> None:
        """Take a job; call it after the commit of the rows that the job is about.

        The same job (kind and id) that still waits is not taken twice: the earlier of the two times wins. One that is
        running is run once more.
        """


class JobQueue(Jobs, Protocol):
    """What a process sees of the queue; `EmbeddedJobs` and `ProcrastinateJobs` both are one."""

    @property
    def is_working(self) -> bool:
        """Whether this process takes jobs: it has started and does not stop."""

    def start(
        self,
        handlers: Handlers,
        *,
        queues: Collection[Queue] | None = None,
        periodic_tasks: Sequence[PeriodicTask] = (),
    ) -> None:
        """Begin to work, first of all on what the rows say is unfinished; a process may also never start.

        `queues`: what this process does (None: everything; the embedded queue always does everything).
        `periodic_tasks` are done once per cluster by the processes that serve `Queue.DESK`.
        """

    async def idle(self) -> None:
        """Return when nothing that this process does waits or runs any more; for tests."""

    async def stop(self, grace_seconds: float = 3.0) -> None:
        """Let what runs end within the grace; what is cut off runs again, here or elsewhere."""
