"""The deliver job: a conversation's replies go out in order, each of them once."""

from collections.abc import Mapping
from datetime import timedelta

import structlog

from bot.channel import Channel, ChannelError
from storage.audit import now
from storage.jobs import Job, Later, RetryAfterError
from storage.outbox import Outbox, Outgoing
from storage.records import ChannelName
from storage.signals import Signals

log = structlog.get_logger(__name__)

CHANNEL_AWAY_SECONDS = 30.0
"""How long a reply waits before a channel that is switched off is tried again."""


class Delivery:
    """Sends what the outbox holds."""

    def __init__(self, outbox: Outbox, channels: Mapping[ChannelName, Channel], signals: Signals) -> None:
        self._outbox = outbox
        self._channels = channels
        self._signals = signals

    async def deliver(self, job: Job) -> Later | None:
        """Send a conversation's pending replies, oldest first, until one must wait.

        What is added meanwhile brings a job of its own.
        """
        while outgoing := await self._outbox.next(job.id):
            if outgoing.not_before > now():
                return Later(outgoing.not_before)
            ended = await self._send(outgoing)
            if ended and not outgoing.more:
                break
        return None

    async def give_up(self, job: Job, reason: str) -> None:
        """The oldest reply failed at every try: it is marked so, and the ones behind it get their chance."""
        if outgoing := await self._outbox.next(job.id):
            await self._outbox.fail(outgoing, reason)
            self._signals.publish(outgoing.conversation_id, outgoing.workspace_id)
            await self.deliver(job)

    async def _send(self, outgoing: Outgoing) -> bool:
        """Whether the delivery has ended; if not, it waits for its new time."""
        channel = self._channels.get(outgoing.channel)
        if channel is None:
            await self._wait(outgoing, f"the channel {outgoing.channel} is off", CHANNEL_AWAY_SECONDS)
            return False
        if not channel.idempotent:
            await self._outbox.begin(outgoing)
        try:
            external_id = await channel.send(outgoing)
        except ChannelError as error:
            return await self._failed(outgoing, error)
        await self._outbox.sent(outgoing, external_id)
        self._signals.publish(outgoing.conversation_id, outgoing.workspace_id)
        return True

    async def _failed(self, outgoing: Outgoing, error: ChannelError) -> bool:
        if error.permanent:
            log.warning("delivery failed", delivery=outgoing.delivery_id, channel=outgoing.channel, reason=error.reason)
            await self._outbox.fail(outgoing, error.reason)
            self._signals.publish(outgoing.conversation_id, outgoing.workspace_id)
            return True
        if error.retry_after is None:
            raise RetryAfterError(error.reason) from error
        # The platform said when: that is no failed try, however often it says so.
        await self._wait(outgoing, error.reason, error.retry_after)
        return False

    async def _wait(self, outgoing: Outgoing, reason: str, seconds: float) -> None:
        await self._outbox.postpone(outgoing, now() + timedelta(seconds=seconds), reason)
