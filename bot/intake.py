"""Accepting what customers write: kept first, then queued, then acknowledged."""

from datetime import timedelta

from storage.arrivals import Accepted, Arrivals
from storage.audit import now
from storage.jobs import Job, JobKind, Jobs
from storage.records import Incoming
from storage.signals import Signals


class Intake:
    """The one way in, for every channel."""

    def __init__(self, arrivals: Arrivals, jobs: Jobs, signals: Signals, gather_seconds: float) -> None:
        self._arrivals = arrivals
        self._jobs = jobs
        self._signals = signals
        self._gather_seconds = gather_seconds

    async def accept(self, incoming: Incoming) -> Accepted:
        """Keep a message; when this returns it will be answered, whatever crashes, and may be acknowledged."""
        accepted = await self._arrivals.accept(incoming, self._gather_seconds)
        if accepted.turn_id is not None:
            job = Job(JobKind.ANSWER, accepted.turn_id, accepted.conversation_id)
            await self._jobs.enqueue(job, due=now() + timedelta(seconds=self._gather_seconds))
        self._signals.publish(accepted.conversation_id, accepted.workspace_id)
        return accepted

    async def open(self, incoming: Incoming) -> str:
        """Start a conversation before its first text; gives its id."""
        return await self._arrivals.open(incoming)
