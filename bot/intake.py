"""Accepting what customers write, change and delete: kept first, then queued, then acknowledged."""

from dataclasses import replace
from datetime import timedelta

from bot.attachments import with_files
from storage.arrivals import Accepted, Arrivals
from storage.audit import now
from storage.corrections import Corrected, Corrections
from storage.jobs import Job, JobKind, Jobs
from storage.records import ChannelName, Incoming
from storage.signals import Signals


class Intake:
    """The one way in, for every channel."""

    def __init__(
        self, arrivals: Arrivals, corrections: Corrections, jobs: Jobs, signals: Signals, gather_seconds: float
    ) -> None:
        self._arrivals = arrivals
        self._corrections = corrections
        self._jobs = jobs
        self._signals = signals
        self._gather_seconds = gather_seconds

    async def accept(self, incoming: Incoming) -> Accepted:
        """Keep a message; when this returns it will be answered, whatever crashes, and may be acknowledged.

        What the text-like files of the message say becomes part of its text; the others stay with it as links.
        """
        accepted = await self._arrivals.accept(_whole(incoming), self._gather_seconds)
        await self._follow(accepted.workspace_id, accepted.conversation_id, accepted.turn_id)
        return accepted

    async def edit(self, incoming: Incoming) -> Corrected | None:
        """The customer changed a message: what has not been answered yet is answered as it reads now.

        None: it was so already, or the message has not arrived yet and will be kept as edited.
        """
        corrected = await self._corrections.edit(_whole(incoming), self._gather_seconds)
        await self._corrected(corrected)
        return corrected

    async def delete(self, workspace_id: str, channel: ChannelName, external_id: str) -> Corrected | None:
        """The customer deleted a message: it is not answered any more, and its text is forgotten."""
        corrected = await self._corrections.delete(workspace_id, channel, external_id, self._gather_seconds)
        await self._corrected(corrected)
        return corrected

    async def open(self, incoming: Incoming) -> str:
        """Start a conversation before its first text; gives its id."""
        return await self._arrivals.open(incoming)

    async def _corrected(self, corrected: Corrected | None) -> None:
        if corrected is not None:
            await self._follow(corrected.workspace_id, corrected.conversation_id, corrected.turn_id)

    async def _follow(self, workspace_id: str, conversation_id: str, turn_id: str | None) -> None:
        if turn_id is not None:
            job = Job(JobKind.ANSWER, turn_id, conversation_id)
            await self._jobs.enqueue(job, due=now() + timedelta(seconds=self._gather_seconds))
        if conversation_id:
            self._signals.publish(conversation_id, workspace_id)


def _whole(incoming: Incoming) -> Incoming:
    if not incoming.attachments:
        return incoming
    text, unread = with_files(incoming.text, incoming.attachments)
    return replace(incoming, text=text, attachments=unread)
