"""A conversation as server-sent events: the whole state first, then what changes, whichever process changed it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from bot.web.auth import WebPrincipal
from bot.web.limits import ConcurrencyLimit
from bot.web.schemas import StatusShape, conversation_shape, message_shape
from storage.cluster.events import EventBus, wait_for_event
from storage.conversations.customer_view import CustomerView, Said, Snapshot
from storage.conversations.reading import Conversations

SEQ = re.compile(r"[0-9]{1,9}")
LOOK_SECONDS = 1.0
"""How often the rows are looked at when no signal came: another process may have changed them."""


class WorkingShape(BaseModel):
    """Whether the desk is at work on a reply."""

    working: bool


class ConversationStream:
    """Follows one conversation for one visitor. Each event's id is the last `seq` that it covers."""

    def __init__(
        self,
        transcripts: CustomerView,
        conversations: Conversations,
        signals: EventBus,
        visit: WebPrincipal,
        lasts: Callable[[], Awaitable[bool]],
    ) -> None:
        self._transcripts = transcripts
        self._conversations = conversations
        self._signals = signals
        self._visit = visit
        self._lasts = lasts
        self._seq = 0

    async def events(self, last_seq: int | None, stopping: anyio.Event) -> AsyncIterator[ServerSentEvent]:
        """A `state` event, or after a reconnection the messages after `last_seq`; then `message`, `status`, `working`.

        It ends when the server is `stopping`, or the visitor's login has ended; the client then connects again.
        """
        with self._signals.listen(self._visit.door.conversation_id) as news:
            pulse = await self._transcripts.pulse(self._visit.door)
            if last_seq is None:
                yield await self._state(pulse)
            else:
                self._seq = last_seq
                async for event in self._changes(None, pulse):
                    yield event
            while not stopping.is_set():
                await wait_for_event(news, LOOK_SECONDS)
                news.clear()
                if not await self._lasts():
                    return
                before, pulse = pulse, await self._transcripts.pulse(self._visit.door)
                async for event in self._changes(before, pulse):
                    yield event

    async def _state(self, pulse: Snapshot) -> ServerSentEvent:
        door = self._visit.door
        conversation = await self._conversations.read(door.workspace_id, door.conversation_id)
        state = conversation_shape(conversation, pulse, await self._unseen())
        return self._event("state", state)

    async def _changes(self, before: Snapshot | None, pulse: Snapshot) -> AsyncIterator[ServerSentEvent]:
        if before is None or pulse.last_seq != before.last_seq:
            for said in await self._unseen():
                yield self._event("message", message_shape(said))
        if before is None or (pulse.status, pulse.assignee) != (before.status, before.assignee):
            status = StatusShape(id=self._visit.door.conversation_id, status=pulse.status, assignee=pulse.assignee)
            yield self._event("status", status)
        if before is None or pulse.working != before.working:
            yield self._event("working", WorkingShape(working=pulse.working))

    async def _unseen(self) -> list[Said]:
        found = await self._transcripts.said(
            self._visit.door, after_seq=self._seq, internal=self._visit.member is not None
        )
        if found:
            self._seq = found[-1].message.seq
        return found

    def _event(self, name: str, shape: BaseModel) -> ServerSentEvent:
        return ServerSentEvent(data=shape.model_dump_json(), event=name, id=str(self._seq))


class SeatedStream(EventSourceResponse):
    """A stream that takes one of the seats for as long as it is open."""

    seats: ConcurrencyLimit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream."""
        with self.seats.seat():
            await super().__call__(scope, receive, send)


def last_seq_of(header: str | None) -> int | None:
    """Where a client that reconnects wants to go on; None if it begins, or says something else."""
    return int(header) if header is not None and SEQ.fullmatch(header) else None
