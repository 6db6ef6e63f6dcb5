"""Server-sent events of a conversation: the whole state first, then what changes, whichever process changed it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from bot.web.auth import WebPrincipal
from bot.web.limits import ConcurrencyLimit
from bot.web.schemas import ChatStatusItem, chat_conversation_item, chat_message_item
from storage.cluster.events import EventBus, wait_for_event
from storage.conversations.customer_view import CustomerView, Snapshot, VisibleMessage
from storage.conversations.reading import Conversations

SEQ = re.compile(r"[0-9]{1,9}")
STREAM_POLL_SECONDS = 1.0
"""How often the rows are looked at when no signal came: another process may have changed them."""


class ChatWorkingItem(BaseModel):
    """Whether the desk is at work on a reply."""

    working: bool


class ConversationStream:
    """Follows one conversation for one visitor. Each event's id is the last `seq` that it covers."""

    def __init__(
        self,
        customer_view: CustomerView,
        conversations: Conversations,
        events: EventBus,
        principal: WebPrincipal,
        is_still_valid: Callable[[], Awaitable[bool]],
    ) -> None:
        self._customer_view = customer_view
        self._conversations = conversations
        self._events = events
        self._principal = principal
        self._is_still_valid = is_still_valid
        self._seq = 0

    async def events(self, last_seq: int | None, stopping: anyio.Event) -> AsyncIterator[ServerSentEvent]:
        """A `state` event, or after a reconnection the messages after `last_seq`; then `message`, `status`, `working`.

        Who says to know more than there is gets the state: they would wait for messages that have come already.
        It ends when the server is `stopping`, or the visitor's login has ended; the client then connects again.
        """
        with self._events.listen(self._principal.ref.conversation_id) as news:
            snapshot = await self._customer_view.snapshot(self._principal.ref)
            if last_seq is None or last_seq > snapshot.last_seq:
                yield await self._state(snapshot)
            else:
                self._seq = last_seq
                async for event in self._changes(None, snapshot):
                    yield event
            while not stopping.is_set():
                await wait_for_event(news, STREAM_POLL_SECONDS)
                news.clear()
                if not await self._is_still_valid():
                    return
                before, snapshot = snapshot, await self._customer_view.snapshot(self._principal.ref)
                async for event in self._changes(before, snapshot):
                    yield event

    async def _state(self, snapshot: Snapshot) -> ServerSentEvent:
        ref = self._principal.ref
        conversation = await self._conversations.read(ref.workspace_id, ref.conversation_id)
        state = chat_conversation_item(conversation, snapshot, await self._new_messages())
        return self._event("state", state)

    async def _changes(self, before: Snapshot | None, snapshot: Snapshot) -> AsyncIterator[ServerSentEvent]:
        if before is None or snapshot.last_seq != before.last_seq:
            for visible in await self._new_messages():
                yield self._event("message", chat_message_item(visible))
        if before is None or (snapshot.status, snapshot.assignee) != (before.status, before.assignee):
            status = ChatStatusItem(
                id=self._principal.ref.conversation_id, status=snapshot.status, assignee=snapshot.assignee
            )
            yield self._event("status", status)
        if before is None or snapshot.working != before.working:
            yield self._event("working", ChatWorkingItem(working=snapshot.working))

    async def _new_messages(self) -> list[VisibleMessage]:
        found = await self._customer_view.visible_messages(
            self._principal.ref, after_seq=self._seq, internal=self._principal.member is not None
        )
        if found:
            self._seq = found[-1].message.seq
        return found

    def _event(self, name: str, item: BaseModel) -> ServerSentEvent:
        return ServerSentEvent(data=item.model_dump_json(), event=name, id=str(self._seq))


class BoundedStream(EventSourceResponse):
    """A stream that counts against the limit for as long as it is open."""

    limit: ConcurrencyLimit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream."""
        with self.limit.slot():
            await super().__call__(scope, receive, send)


def last_seq_of(header: str | None) -> int | None:
    """Where a client that reconnects wants to go on; None if it begins, or says something else."""
    return int(header) if header is not None and SEQ.fullmatch(header) else None
