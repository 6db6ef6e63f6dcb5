"""Bounded concurrency: runs what is due in the queue, so many jobs beside each other, and what fails again later."""

import asyncio
from collections.abc import Callable

from storage import clock
from storage.backoff import RetryPolicy
from storage.queue.embedded.priority_queue import KeyedPriorityQueue
from storage.queue.embedded.wakeup import WakeUp
from storage.queue.jobs import LONG, Handlers, Job
from storage.queue.retries import DeadLettered, Retry, attempt

AttemptOutcome = Retry | DeadLettered | None


class JobRunner:
    """Takes jobs from the queue and does them, from its start until it is stopped."""

    def __init__(
        self, queue: KeyedPriorityQueue, concurrency: int, retries: RetryPolicy, on_change: Callable[[], None]
    ) -> None:
        """`on_change` is called whenever jobs have begun or ended."""
        self._queue = queue
        self._concurrency = concurrency
        self._retries = retries
        self._on_change = on_change
        self._handlers: Handlers | None = None
        self._running: dict[asyncio.Task[AttemptOutcome], Job] = {}
        self._wake_up = WakeUp(self.dispatch)
        self._steps = clock.StepDetector()

    @property
    def is_working(self) -> bool:
        """Whether jobs are taken."""
        return self._handlers is not None

    def start(self, handlers: Handlers) -> None:
        """Take jobs from now on."""
        self._handlers = handlers
        self.dispatch()

    def dispatch(self) -> None:
        """Start what may run now, and come back when the next job is due."""
        if self._handlers is None:
            return
        self._wake_up.cancel()
        if step := self._steps.set_back_by():
            self._queue.set_back(step)
        while len(self._running) < self._concurrency:
            found = self._queue.take(clock.now())
            if found is None:
                break
            if not isinstance(found, Job):
                self._wake_up.set(found)
                break
            self._begin(found, self._handlers)
        self._on_change()

    async def stop(self, grace_seconds: float) -> None:
        """Take nothing more and let what runs end within the grace; what takes long is cut off at once."""
        self._handlers = None
        self._wake_up.cancel()
        running = dict(self._running)
        for task, job in running.items():
            if job.kind in LONG:
                task.cancel()
        if running:
            await asyncio.wait(running, timeout=grace_seconds)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _begin(self, job: Job, handlers: Handlers) -> None:
        task = asyncio.create_task(attempt(job, handlers, self._retries), name=f"{job.kind} {job.id}")
        self._running[task] = job
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[AttemptOutcome]) -> None:
        job = self._running.pop(task)
        outcome = None if task.cancelled() else task.result()
        if isinstance(outcome, Retry):
            self._queue.end(job, retry=outcome.job, due=outcome.due)
        else:
            self._queue.end(job)
        self.dispatch()
