"""The customer's REST interface to conversations: start, write, read, follow, ask for a person, vote, end."""

import asyncio
from functools import partial
from typing import Annotated

import anyio
from fastapi import APIRouter, Header, Query, Request, Response, status
from sse_starlette import EventSourceResponse

from bot.intake import Intake
from bot.web.auth import CustomerBearer, WebAccess
from bot.web.limits import WebLimits
from bot.web.schemas import (
    MAX_MESSAGE_LENGTH,
    AcceptedMessageItem,
    ChatConversationBody,
    ChatConversationItem,
    ChatMessageBody,
    ChatStatusItem,
    OpenedConversationItem,
    VoteBody,
    VoteItem,
    chat_conversation_item,
    chat_reply_item,
    external_id_prefix,
    storable_text,
)
from bot.web.sse import (
    STREAM_POLL_SECONDS,
    BoundedStream,
    ConversationStream,
    last_seq_of,
)
from graph.desk import Desk
from storage.accounts.emails import checked_email
from storage.cluster.events import wait_for_event
from storage.conversations.customer_view import ConversationRef, ReplyProgress
from storage.errors import ConversationClosedError, InvalidError, TooLargeError
from storage.records import ConversationStatus, Customer, Incoming, new_id
from storage.store import Store

MAX_WAIT_SECONDS = 60.0
PING_SECONDS = 15
Wait = Annotated[float | None, Query(ge=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for the reply.")]


class ConversationRoutes:
    """The routes under `/conversations`, and `/feedback`."""

    def __init__(self, store: Store, intake: Intake, desk: Desk, access: WebAccess, limits: WebLimits) -> None:
        self._store = store
        self._intake = intake
        self._desk = desk
        self._access = access
        self._limits = limits
        self._customer_view = store.conversations.customer_view

    def router(self) -> APIRouter:
        """The routes, relative to `/api/v1`."""
        router = APIRouter(tags=["conversations"])
        one = "/conversations/{conversation_id}"
        router.post("/conversations", status_code=status.HTTP_201_CREATED)(self.create)
        router.get(one)(self.read)
        router.post(
            f"{one}/messages",
            status_code=status.HTTP_202_ACCEPTED,
            responses={status.HTTP_200_OK: _ANSWERED_RESPONSE},
            response_model_exclude_unset=True,
        )(self.post_message)
        router.post(f"{one}/person")(self.ask_person)
        router.post(f"{one}/resolve")(self.resolve)
        router.post(f"{one}/close")(self.close)
        router.get(f"{one}/events", response_class=EventSourceResponse)(self.events)
        router.post("/feedback")(self.vote)
        return router

    async def create(
        self, body: ChatConversationBody, request: Request, token: CustomerBearer
    ) -> OpenedConversationItem:
        """Start a conversation: anonymous, or a registered customer's with their bearer."""
        self._limits.count_conversation(request)
        await self._store.accounts.workspaces.read(body.workspace)
        customer = await self._access.registered_customer(body.workspace, token)
        conversation_id = await self._intake.open(_new_conversation(body, customer))
        ref = await self._customer_view.ref(conversation_id)
        customer_token = self._store.accounts.tokens.for_conversation(conversation_id, ref.customer_id)
        return OpenedConversationItem(id=conversation_id, status=ref.status, customer_token=customer_token)

    async def read(self, conversation_id: str, token: CustomerBearer) -> ChatConversationItem:
        """The conversation with its ticket's fields and everything said."""
        principal = await self._access.enter(conversation_id, token)
        conversation = await self._store.conversations.reading.read(principal.ref.workspace_id, conversation_id)
        snapshot = await self._customer_view.snapshot(principal.ref)
        messages = await self._customer_view.visible_messages(principal.ref, internal=principal.member is not None)
        return chat_conversation_item(conversation, snapshot, messages)

    async def post_message(
        self,
        conversation_id: str,
        body: ChatMessageBody,
        request: Request,
        response: Response,
        token: CustomerBearer,
        wait: Wait = None,
    ) -> AcceptedMessageItem:
        """Write to the desk; it is kept when this answers. With `wait`, give the reply if it comes in time.

        A member of the workspace who has the conversation replies by hand.
        """
        self._limits.count_message(request)
        text = _checked_text(storable_text(body))
        principal = await self._access.enter(conversation_id, token)
        if principal.member is not None:
            message_id = await self._desk.reply(principal.member, conversation_id, text)
            return AcceptedMessageItem(id=message_id, status="accepted")
        message_id = await self._accept(principal.ref, text, body.external_id)
        if wait is None or self._limits.listeners.is_full:
            return AcceptedMessageItem(id=message_id, status="accepted")
        with self._limits.listeners.slot():
            taken = _accepted_item(message_id, await self._await_progress(principal.ref, message_id, wait))
        if taken.status != "accepted":
            response.status_code = status.HTTP_200_OK
        return taken

    async def ask_person(self, conversation_id: str, token: CustomerBearer) -> ChatStatusItem:
        """Talk to a person: whoever is free gets the conversation."""
        ref = await self._access.enter_as_customer(conversation_id, token)
        if ref.status is ConversationStatus.CLOSED:
            raise ConversationClosedError
        await self._desk.ask_person(ref.workspace_id, conversation_id)
        return await self._status(ref)

    async def resolve(self, conversation_id: str, token: CustomerBearer) -> ChatStatusItem:
        """The matter is settled; a new message opens it again."""
        principal = await self._access.enter(conversation_id, token)
        await self._desk.resolve(principal.ref.workspace_id, conversation_id, principal.member)
        return await self._status(principal.ref)

    async def close(self, conversation_id: str, token: CustomerBearer) -> ChatStatusItem:
        """End the conversation; what comes next is a new one."""
        principal = await self._access.enter(conversation_id, token)
        await self._desk.close(principal.ref.workspace_id, conversation_id, principal.member)
        return await self._status(principal.ref)

    async def events(
        self,
        conversation_id: str,
        request: Request,
        bearer: CustomerBearer,
        token: Annotated[str | None, Query(description="The bearer, for clients that cannot send headers.")] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventSourceResponse:
        """Follow the conversation: `state` at first, then `message`, `status` and `working` events.

        With `Last-Event-ID` it goes on after that message.
        """
        if token is not None:
            # A server's access log writes the query when the response starts.
            request.scope["query_string"] = b"token=-"
        principal = await self._access.enter(conversation_id, bearer or token)
        self._limits.require_listener_slot()
        is_still_valid = partial(self._access.is_still_valid, principal, bearer or token)
        updates = ConversationStream(
            self._customer_view,
            self._store.conversations.reading,
            self._store.cluster.events,
            principal,
            is_still_valid,
        )
        stopping = anyio.Event()
        stream = BoundedStream(
            updates.events(last_seq_of(last_event_id), stopping),
            ping=PING_SECONDS,
            shutdown_event=stopping,
            shutdown_grace_period=STREAM_POLL_SECONDS + 0.2,
        )
        stream.limit = self._limits.listeners
        return stream

    async def vote(self, body: VoteBody, token: CustomerBearer) -> VoteItem:
        """Say whether a reply helped; voting again changes the vote."""
        conversation_id = await self._customer_view.conversation_of(body.message_id)
        ref = await self._access.enter_as_customer(conversation_id, token)
        await self._desk.vote(ref.workspace_id, conversation_id, body.message_id, body.vote, body.comment)
        return VoteItem(message_id=body.message_id, vote=body.vote)

    async def _accept(self, ref: ConversationRef, text: str, external_id: str | None) -> str:
        """Keep the customer's message; gives its id. The same external id again gives the first one's."""
        external_id = f"{external_id_prefix(ref.conversation_id)}{external_id or new_id()}"
        if ref.status is ConversationStatus.CLOSED:
            if known := await self._customer_view.known(ref, external_id):
                return known
            raise ConversationClosedError
        accepted = await self._intake.accept(
            Incoming(ref.workspace_id, ref.channel, external_id, ref.thread, ref.customer_external_id, text)
        )
        if accepted.conversation_id != ref.conversation_id:
            # It was closed a moment ago, so that the message began a new one, which nobody would find.
            await self._desk.close(ref.workspace_id, accepted.conversation_id)
            raise ConversationClosedError
        return accepted.message_id

    async def _await_progress(self, ref: ConversationRef, message_id: str, seconds: float) -> ReplyProgress:
        """How far the desk has come when it is settled, when the time is over, or when this process ends."""
        clock = asyncio.get_running_loop().time
        ends = clock() + seconds
        with self._store.cluster.events.listen(ref.conversation_id) as news:
            while True:
                progress = await self._customer_view.progress(message_id)
                left = ends - clock()
                if progress.settled or left <= 0 or self._store.cluster.events.is_closing:
                    return progress
                await wait_for_event(news, min(left, STREAM_POLL_SECONDS))
                news.clear()

    async def _status(self, ref: ConversationRef) -> ChatStatusItem:
        snapshot = await self._customer_view.snapshot(ref)
        return ChatStatusItem(id=ref.conversation_id, status=snapshot.status, assignee=snapshot.assignee)


_ANSWERED_RESPONSE = {"model": AcceptedMessageItem, "description": "Answered, or waiting for a person."}


def _new_conversation(body: ChatConversationBody, customer: Customer | None) -> Incoming:
    """A web conversation is its own thread; somebody anonymous is a new customer each time."""
    thread = new_id()
    email = body.customer.email or None
    return Incoming(
        workspace_id=body.workspace,
        channel="web",
        external_id="",
        thread=thread,
        customer_external_id=customer.external_id if customer else f"anonymous:{thread}",
        text="",
        customer_name=body.customer.name,
        customer_email=checked_email(email) if email else None,
        subject=body.subject,
    )


def _checked_text(text: str) -> str:
    if not text:
        raise InvalidError("The text is empty: write something first.")
    if len(text) > MAX_MESSAGE_LENGTH:
        raise TooLargeError(f"The text has {len(text)} characters; {MAX_MESSAGE_LENGTH} is the most.")
    return text


def _accepted_item(message_id: str, progress: ReplyProgress) -> AcceptedMessageItem:
    if progress.reply is not None:
        return AcceptedMessageItem(id=message_id, status="answered", reply=chat_reply_item(progress.reply))
    return AcceptedMessageItem(id=message_id, status="pending" if progress.waits_for_person else "accepted")
