"""Delivery from the transactional outbox: a conversation's replies go out in order, each of them once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import structlog

from bot.channel import Channel
from bot.errors import ChannelError
from storage.backoff import RetryPolicy
from storage.clock import now, was_set_back_since
from storage.cluster.events import EventBus
from storage.conversations.outbox import Outbox, Outgoing
from storage.queue.jobs import Job, RunAt
from storage.records import ChannelName
from storage.telemetry.log_context import log_fields
from storage.telemetry.tracing import TracedTurn, Tracing, annotate_span

log = structlog.get_logger(__name__)

CHANNEL_AWAY_SECONDS = 30.0
"""How long a reply waits before a channel that is switched off is tried again."""


class DeliveryJob:
    """Sends what the outbox holds."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[ChannelName, Channel],
        events: EventBus,
        retries: RetryPolicy | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._outbox = outbox
        self._channels = channels
        self._events = events
        self._retries = retries or RetryPolicy()
        self._tracing = tracing or Tracing()

    async def deliver(self, job: Job) -> RunAt | None:
        """Send a conversation's pending replies, oldest first, until one must wait.

        What is added meanwhile brings a job of its own.
        """
        while outgoing := await self._outbox.next(job.id):
            if outgoing.not_before > now() and not _is_of_a_later_clock(outgoing):
                return RunAt(outgoing.not_before)
            with self._traced(outgoing):
                delivered_unheld = await self._send(outgoing)
            if delivered_unheld and not outgoing.more:
                break
        return None

    async def give_up(self, job: Job, reason: str) -> None:
        """The job itself failed at every try: its oldest reply is marked so, those behind it get their chance."""
        if outgoing := await self._outbox.next(job.id):
            with self._traced(outgoing):
                await self._fail(outgoing, reason)
            await self.deliver(job)

    @contextmanager
    def _traced(self, outgoing: Outgoing) -> Iterator[None]:
        """Every line and span of this delivery says which it is; a reply by hand belongs to no turn's trace."""
        turn_id, conversation_id, workspace_id = outgoing.turn_id, outgoing.conversation_id, outgoing.workspace_id
        with log_fields(
            delivery=outgoing.delivery_id, turn=turn_id, conversation=conversation_id, workspace=workspace_id
        ):
            if turn_id is None:
                yield
                return
            turn = TracedTurn(turn_id, conversation_id, workspace_id)
            with self._tracing.step(turn, "deliver", channel=outgoing.channel, delivery=outgoing.delivery_id):
                yield

    async def _send(self, outgoing: Outgoing) -> bool:
        """Whether the delivery has ended and kept nobody else from looking at the conversation meanwhile."""
        channel = self._channels.get(outgoing.channel)
        if channel is None:
            until = now() + timedelta(seconds=CHANNEL_AWAY_SECONDS)
            await self._outbox.postpone(outgoing, until, f"the channel {outgoing.channel} is off")
        elif channel.idempotent:
            return await self._try(channel, outgoing)
        elif await self._outbox.begin(outgoing):
            async with self._outbox.holding(outgoing) as begun:
                await self._try(channel, begun)
        return False

    async def _try(self, channel: Channel, outgoing: Outgoing) -> bool:
        """Whether the channel has it now."""
        try:
            external_id = await channel.send(outgoing)
        except ChannelError as error:
            await self._postpone_or_fail(outgoing, error)
        except Exception as error:
            # What an adapter did not foresee is a failed try like any other.
            log.exception("delivery try failed", channel=outgoing.channel)
            await self._postpone_or_fail(outgoing, ChannelError(type(error).__name__))
        else:
            await self._outbox.sent(outgoing, external_id)
            annotate_span(outcome="sent")
            seconds = round((now() - outgoing.message.created_at).total_seconds(), 3)
            log.info("reply delivered", channel=outgoing.channel, seconds=seconds)
            self._events.publish(outgoing.conversation_id, outgoing.workspace_id)
            return True
        return False

    async def _postpone_or_fail(self, outgoing: Outgoing, error: ChannelError) -> None:
        annotate_span(outcome="postponed")
        if error.retry_after is not None:
            # The platform said when: that is no failed try, however often it says so.
            until = now() + timedelta(seconds=error.retry_after)
            await self._outbox.postpone(outgoing, until, error.reason)
        elif error.permanent or not self._retries.has_more(outgoing.failures):
            await self._fail(outgoing, error.reason)
        else:
            pause = max(self._retries.pause(outgoing.failures), timedelta(seconds=error.settles_after))
            await self._outbox.retry(outgoing, now() + pause, error.reason)

    async def _fail(self, outgoing: Outgoing, reason: str) -> None:
        annotate_span(outcome="failed")
        log.warning("delivery failed", channel=outgoing.channel, reason=reason)
        await self._outbox.fail(outgoing, reason)
        self._events.publish(outgoing.conversation_id, outgoing.workspace_id)


def _is_of_a_later_clock(outgoing: Outgoing) -> bool:
    """The clock was set back since the reply was made; once a try was begun, its lease counts: it may be under way."""
    return not outgoing.attempts and was_set_back_since(outgoing.message.created_at)
