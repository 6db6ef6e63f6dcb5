"""Message intake: what customers write, change and delete is kept first, then queued, then acknowledged."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.attachments import inline_files
from storage.clock import now
from storage.cluster.events import EventBus
from storage.conversations.edits import EditedMessage, MessageEdits
from storage.conversations.intake import Accepted, MessageIntake
from storage.queue.jobs import Job, JobKind, Jobs
from storage.records import READ_FROM_ROWS, ChannelName, Incoming
from storage.telemetry.log_context import log_fields
from storage.telemetry.tracing import TracedTurn, Tracing

log = structlog.get_logger(__name__)


class Intake:
    """The one way in, for every channel."""

    def __init__(
        self,
        message_intake: MessageIntake,
        edits: MessageEdits,
        jobs: Jobs,
        events: EventBus,
        gather_seconds: float,
        *,
        tracing: Tracing | None = None,
        prefetch: Callable[[str], None] | None = None,
    ) -> None:
        """`prefetch` is told each text before it is kept, for what may be done ahead; it returns at once."""
        self._message_intake = message_intake
        self._edits = edits
        self._jobs = jobs
        self._events = events
        self._gather_seconds = gather_seconds
        self._tracing = tracing or Tracing()
        self._prefetch = prefetch

    async def accept(self, incoming: Incoming) -> Accepted:
        """Keep a message; when this returns it will be answered, whatever crashes, and may be acknowledged.

        What the text-like files of the message say becomes part of its text; the others stay with it as links.
        Beyond all limits nothing is kept: TooManyMessagesError on the web, elsewhere a notice in the thread.
        """
        started_at = now()
        prepared = _with_readable_files(incoming)
        if self._prefetch is not None:
            self._prefetch(prepared.text)
        accepted = await self._message_intake.accept(prepared, self._gather_seconds)
        self._trace_accepted(accepted, incoming.channel, started_at)
        if accepted.turn_id is not None:
            await self._enqueue_turn(accepted.turn_id, accepted.conversation_id, accepted.wait, accepted.rank)
        if accepted.notified and incoming.channel not in READ_FROM_ROWS:
            await self._jobs.enqueue(Job(JobKind.DELIVER, accepted.conversation_id, accepted.conversation_id))
        self._publish(accepted.conversation_id, accepted.workspace_id)
        return accepted

    async def edit(self, incoming: Incoming) -> EditedMessage | None:
        """The customer changed a message: what has not been answered yet is answered as it reads now.

        None: it was so already, or the message has not arrived yet and will be kept as edited.
        """
        edited = await self._edits.edit(_with_readable_files(incoming), self._gather_seconds)
        await self._requeue(edited)
        return edited

    async def delete(self, workspace_id: str, channel: ChannelName, external_id: str) -> EditedMessage | None:
        """The customer deleted a message: it is not answered any more, and its text is forgotten."""
        edited = await self._edits.delete(workspace_id, channel, external_id, self._gather_seconds)
        await self._requeue(edited)
        return edited

    async def open(self, incoming: Incoming) -> str:
        """Start a conversation before its first text; gives its id."""
        return await self._message_intake.open(incoming)

    def _trace_accepted(self, accepted: Accepted, channel: ChannelName, started_at: datetime) -> None:
        turn_id, conversation_id, workspace_id = accepted.turn_id, accepted.conversation_id, accepted.workspace_id
        if turn_id is not None:
            turn = TracedTurn(turn_id, conversation_id, workspace_id)
            self._tracing.record_step(turn, "accept", started_at, now(), channel=channel)
        with log_fields(turn=turn_id, conversation=conversation_id, workspace=workspace_id):
            log.debug("message accepted", channel=channel, repeated=accepted.repeated)

    async def _requeue(self, edited: EditedMessage | None) -> None:
        if edited is None:
            return
        if edited.turn_id is not None:
            await self._enqueue_turn(edited.turn_id, edited.conversation_id)
        self._publish(edited.conversation_id, edited.workspace_id)

    async def _enqueue_turn(self, turn_id: str, conversation_id: str, wait: float = 0.0, rank: int = 0) -> None:
        due = now() + timedelta(seconds=max(self._gather_seconds, wait))
        await self._jobs.enqueue(Job(JobKind.ANSWER, turn_id, conversation_id, rank=rank), due=due)

    def _publish(self, conversation_id: str, workspace_id: str) -> None:
        if conversation_id:
            self._events.publish(conversation_id, workspace_id)


def _with_readable_files(incoming: Incoming) -> Incoming:
    if not incoming.attachments:
        return incoming
    text, unread = inline_files(incoming.text, incoming.attachments)
    return replace(incoming, text=text, attachments=unread)
