"""Keyed priority queue: the most urgent jobs in memory, served by rank, one job of a lock key at a time.

It is bounded by the number of keys: what has no room is left to its rows.
"""

import itertools
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from storage import clock
from storage.queue.jobs import LONG, Job, JobKind, ranked

LONG_AGO = datetime.min.replace(tzinfo=UTC)
Urgency = tuple[bool, int, datetime, int]
"""Lower ones first: whether it is still to become due, its rank once it is due, its time, the order of arrival."""


@dataclass(slots=True)
class WaitingJob:
    """A job and when it may run."""

    job: Job
    due: datetime
    number: int
    """The order of arrival."""


@dataclass(slots=True)
class KeyQueue:
    """The jobs of one key: a conversation or a document."""

    waiting: list[WaitingJob] = field(default_factory=list)
    running: Job | None = None
    served_at: datetime = LONG_AGO
    """A key that has just been served queues up again behind the others of the same rank."""

    @property
    def size(self) -> int:
        """Jobs that wait or run."""
        return len(self.waiting) + (self.running is not None)

    def urgency(self, entry: WaitingJob, now: datetime) -> Urgency:
        """The place of one of its jobs among all."""
        if entry.due > now:
            return True, 0, entry.due, entry.number
        return False, entry.job.rank, max(entry.due, self.served_at), entry.number

    def first(self, now: datetime, without: Collection[JobKind] = ()) -> tuple[Urgency, WaitingJob] | None:
        """Its most urgent job, leaving out some kinds."""
        places = [(self.urgency(entry, now), entry) for entry in self.waiting if entry.job.kind not in without]
        return min(places, key=itemgetter(0)) if places else None

    def find(self, job: Job) -> WaitingJob | None:
        """The same job as it waits."""
        return next((entry for entry in self.waiting if _is_same(entry.job, job)), None)

    def add(self, entry: WaitingJob) -> None:
        """Let a job wait; of the same one that waits already the earlier time counts."""
        known = self.find(entry.job)
        if known is None:
            self.waiting.append(entry)
            return
        # What brings it forward does not undo its failed tries.
        newer = entry.job if entry.due < known.due else known.job
        known.job = replace(newer, attempt=max(entry.job.attempt, known.job.attempt))
        known.due = min(entry.due, known.due)


class KeyedPriorityQueue:
    """Holds the most urgent jobs of a bounded number of keys."""

    def __init__(self, max_keys: int | None, max_long: int) -> None:
        """`max_keys`: None for no bound; `max_long`: jobs that take long and may run beside each other."""
        self._keys: dict[str, KeyQueue] = {}
        self._numbers = itertools.count()
        self._max_keys = max_keys
        self._max_long = max_long
        self._running_long = 0
        self.has_overflowed = False
        """Something was left to its rows since this was last set back."""

    def __len__(self) -> int:
        """The number of keys."""
        return len(self._keys)

    @property
    def size(self) -> int:
        """Jobs that wait or run."""
        return sum(queue.size for queue in self._keys.values())

    @property
    def has_room(self) -> bool:
        """Whether it is worth while to fetch more."""
        return self._max_keys is None or len(self._keys) <= self._max_keys // 2

    def __contains__(self, job: Job) -> bool:
        """Whether the same job waits or runs."""
        queue = self._keys.get(job.key)
        if queue is None:
            return False
        return queue.find(job) is not None or (queue.running is not None and _is_same(queue.running, job))

    def put(self, job: Job, due: datetime) -> None:
        """Take a job; of the same one that still waits the earlier time counts."""
        entry = WaitingJob(ranked(job), due, next(self._numbers))
        queue = self._keys.get(job.key)
        if queue is None:
            if not self._make_room(entry):
                return
            queue = self._keys[job.key] = KeyQueue()
        queue.add(entry)

    def take(self, now: datetime) -> Job | datetime | None:
        """The most urgent job that is due, which runs from now on; or when the next one will be due."""
        # A few loads beside each other must not keep the customers waiting.
        without = LONG if self._running_long >= self._max_long else frozenset()
        places = (queue.first(now, without) for queue in self._keys.values() if queue.running is None)
        best = min(filter(None, places), key=itemgetter(0), default=None)
        if best is None:
            return None
        entry = best[1]
        if entry.due > now:
            return entry.due
        queue = self._keys[entry.job.key]
        queue.waiting.remove(entry)
        queue.running = entry.job
        self._running_long += entry.job.kind in LONG
        return entry.job

    def end(self, job: Job, *, retry: Job | None = None, due: datetime | None = None) -> None:
        """The job that `take` gave runs no more; it may have to run once more at a time."""
        self._running_long -= job.kind in LONG
        queue = self._keys.get(job.key)
        if queue is not None:
            queue.running = None
            queue.served_at = clock.now()
        if retry is not None:
            self.put(retry, due or clock.now())
        if queue is not None and not queue.size:
            del self._keys[job.key]

    def set_back(self, by: timedelta) -> None:
        """The clock was set back by so much: what waits is due after as long as before."""
        for queue in self._keys.values():
            queue.served_at = min(queue.served_at, clock.now())
            for entry in queue.waiting:
                entry.due -= by

    def clear(self) -> None:
        """Forget everything."""
        self._keys.clear()

    def _make_room(self, entry: WaitingJob) -> bool:
        """Whether a new key may come in; the least urgent one makes room for a more urgent one."""
        if self._max_keys is None or len(self._keys) < self._max_keys:
            return True
        self.has_overflowed = True
        now = clock.now()
        places = (
            (found[0], key)
            for key, queue in self._keys.items()
            if queue.running is None and (found := queue.first(now))
        )
        last = max(places, default=None)
        if last is None or last[0] < KeyQueue().urgency(entry, now):
            return False
        del self._keys[last[1]]
        return True


def _is_same(one: Job, other: Job) -> bool:
    return (one.kind, one.id) == (other.kind, other.id)
