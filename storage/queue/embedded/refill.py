"""Recovery from the rows: fills the queue at the start, whenever there is room, and with what was never enqueued."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from storage import clock
from storage.database.engine import Database
from storage.queue.embedded.priority_queue import KeyedPriorityQueue
from storage.queue.jobs import Job
from storage.queue.recovery import RecoveryScan, most_urgent

log = structlog.get_logger(__name__)

MIN_PAUSE_SECONDS = 0.1
"""Between two looks at the least: who is done with a job sooner than its rows tell must not make them a loop."""
REFILL_SECONDS = 2.0
"""How often the rows are looked at while they hold more than fits into memory: something may have become due."""


class QueueRefill:
    """Fetches jobs from the rows into the queue."""

    def __init__(
        self, database: Database, queue: KeyedPriorityQueue, max_keys: int, on_refill: Callable[[], None]
    ) -> None:
        """`on_refill` is called when jobs may have come into the queue."""
        self._database = database
        self._queue = queue
        self._max_keys = max_keys
        self._on_refill = on_refill
        self._rows_hold_more = True
        """The rows hold jobs that have not been seen, or may hold some."""
        self._room = asyncio.Event()

    @property
    def is_behind(self) -> bool:
        """Something waits in the rows alone."""
        return self._rows_hold_more or self._queue.has_overflowed

    def notice_room(self) -> None:
        """Fetch more if there is more, now that the queue has room."""
        if self.is_behind and self._queue.has_room:
            self._room.set()

    async def keep_full(self) -> None:
        """Fetch what fits into memory: at once, and whenever there is room for what did not fit. Until cancelled."""
        while True:
            self._queue.has_overflowed = False
            try:
                found = await most_urgent(self._database, self._max_keys)
            except Exception:
                log.exception("the queue's rows could not be read")
                self._rows_hold_more = True
            else:
                self._rows_hold_more = not found.is_complete
                self._put(found.jobs)
            await self._until_there_is_room()

    async def reconcile(self, every: timedelta) -> None:
        """Find what was committed but never enqueued, because its request was cut off in between. Until cancelled."""
        scan = RecoveryScan(self._database)
        while True:
            await asyncio.sleep(every.total_seconds())
            try:
                self._put(await scan.next(every))
            except Exception:
                log.exception("reconciling failed")

    async def _until_there_is_room(self) -> None:
        await asyncio.sleep(MIN_PAUSE_SECONDS)
        self._room.clear()
        while not self.is_behind:
            await self._room.wait()
            self._room.clear()
        if not self._queue.has_room:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), REFILL_SECONDS)

    def _put(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if job not in self._queue:
                self._queue.put(job, clock.now())
        self._on_refill()
