"""What waits in the memory of the embedded queue: bounded, and handed out by rank, a job per key at a time."""

import itertools
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import itemgetter

from storage import clock
from storage.queue.jobs import LONG, Job, JobKind

PROMPT = frozenset({JobKind.DELIVER, JobKind.RESUME})
"""Nobody wrote anything for these: a reply that is ready goes out before a new one is made."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
Urgency = tuple[bool, int, datetime, int]
"""Lower ones first: whether it is still to become due, its rank once it is due, its time, the order of arrival."""


@dataclass(slots=True)
class Waiting:
    """A job and when it may run."""

    job: Job
    due: datetime
    number: int


@dataclass(slots=True)
class KeyQueue:
    """The jobs of one conversation or document."""

    waiting: list[Waiting] = field(default_factory=list)
    running: Job | None = None
    served_at: datetime = LONG_AGO
    """A key that has just been served queues up again behind the others of the same rank."""

    def urgency(self, entry: Waiting, now: datetime) -> Urgency:
        """The place of one of its jobs among all."""
        if entry.due > now:
            return True, 0, entry.due, entry.number
        return False, entry.job.rank, max(entry.due, self.served_at), entry.number

    def first(self, now: datetime, without: Collection[JobKind] = ()) -> tuple[Urgency, Waiting] | None:
        """Its most urgent job, leaving out some kinds."""
        places = [(self.urgency(entry, now), entry) for entry in self.waiting if entry.job.kind not in without]
        return min(places, key=itemgetter(0)) if places else None


class KeyedPriorityQueue:
    """Holds the most urgent jobs; what has no room is left to its rows."""

    def __init__(self, most: int | None, max_long: int) -> None:
        self._keys: dict[str, KeyQueue] = {}
        self._numbers = itertools.count()
        self._most = most
        """Keys; None: no bound."""
        self._max_long = max_long
        self._long = 0
        self.has_dropped = False
        """Something was left to its rows since this was last set back."""

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def size(self) -> int:
        """Jobs that wait or run."""
        return sum(len(key.waiting) + (key.running is not None) for key in self._keys.values())

    @property
    def has_room(self) -> bool:
        """Whether it is worth while to fetch more."""
        return self._most is None or len(self._keys) <= self._most // 2

    def knows(self, job: Job) -> bool:
        """Whether the same job waits or runs."""
        key = self._keys.get(job.key)
        if key is None:
            return False
        return any(_same(job, other) for other in (*(entry.job for entry in key.waiting), key.running) if other)

    def put(self, job: Job, due: datetime) -> None:
        """Take a job; of the same one that still waits the earlier time counts."""
        entry = Waiting(ranked(job), due, next(self._numbers))
        key = self._keys.get(job.key)
        if key is None:
            if not self._make_room(entry):
                return
            key = self._keys[job.key] = KeyQueue()
        known = next((other for other in key.waiting if _same(other.job, job)), None)
        if known is None:
            key.waiting.append(entry)
        else:
            # What brings it forward does not undo its failed tries.
            latest = entry.job if due < known.due else known.job
            known.job = replace(latest, attempt=max(job.attempt, known.job.attempt))
            known.due = min(due, known.due)

    def take(self, now: datetime) -> Job | datetime | None:
        """The most urgent job that is due, which runs from now on; or when the next one will be due."""
        # A few loads beside each other must not keep the customers waiting.
        without = LONG if self._long >= self._max_long else frozenset()
        places = (key.first(now, without) for key in self._keys.values() if key.running is None)
        best = min(filter(None, places), key=itemgetter(0), default=None)
        if best is None:
            return None
        entry = best[1]
        if entry.due > now:
            return entry.due
        key = self._keys[entry.job.key]
        key.waiting.remove(entry)
        key.running = entry.job
        self._long += entry.job.kind in LONG
        return entry.job

    def end(self, job: Job) -> None:
        """The job that `take` gave runs no more."""
        key = self._keys.get(job.key)
        if key is not None:
            key.running = None
            key.served_at = clock.now()
        self._long -= job.kind in LONG

    def tidy(self, name: str) -> None:
        """Forget a key with nothing in it."""
        key = self._keys.get(name)
        if key is not None and key.running is None and not key.waiting:
            del self._keys[name]

    def clear(self) -> None:
        """Forget everything."""
        self._keys.clear()

    def _make_room(self, entry: Waiting) -> bool:
        """Whether a new key may come in; the least urgent one makes room for a more urgent one."""
        if self._most is None or len(self._keys) < self._most:
            return True
        self.has_dropped = True
        now = clock.now()
        places = (
            (found[0], name) for name, key in self._keys.items() if key.running is None and (found := key.first(now))
        )
        last = max(places, default=None)
        if last is None or last[0] < KeyQueue().urgency(entry, now):
            return False
        del self._keys[last[1]]
        return True


def ranked(job: Job) -> Job:
    """A turn without a rank, or a document, joins those who come now."""
    if job.rank or job.kind in PROMPT:
        return job
    return replace(job, rank=int(clock.now().timestamp()))


def _same(one: Job, other: Job) -> bool:
    return (one.kind, one.id) == (other.kind, other.id)
