"""The customer's REST interface to conversations: start, write, read, follow, ask for a person, vote, end."""

import asyncio
from functools import partial
from typing import Annotated

import anyio
from fastapi import APIRouter, Header, Query, Request, Response, status
from sse_starlette import EventSourceResponse

from bot.intake import Intake
from bot.web.auth import BearerToken, WebAccess
from bot.web.limits import WebLimits
from bot.web.schemas import (
    MAX_TEXT_LENGTH,
    ConversationShape,
    KeptVote,
    NewConversation,
    NewMessage,
    NewVote,
    OpenedConversation,
    StatusShape,
    TakenMessage,
    conversation_shape,
    reply_shape,
    scope_of,
    text_of,
)
from bot.web.sse import (
    LOOK_SECONDS,
    ConversationStream,
    SeatedStream,
    last_seq_of,
)
from graph.desk import Desk
from storage.accounts.emails import checked_email
from storage.cluster.events import wait_for_event
from storage.conversations.customer_view import ConversationRef, Progress
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
        self._transcripts = store.conversations.customer_view

    def router(self) -> APIRouter:
        """The routes, relative to `/api/v1`."""
        router = APIRouter(tags=["conversations"])
        one = "/conversations/{conversation_id}"
        router.post("/conversations", status_code=status.HTTP_201_CREATED)(self.create)
        router.get(one)(self.read)
        router.post(
            f"{one}/messages",
            status_code=status.HTTP_202_ACCEPTED,
            responses={status.HTTP_200_OK: _TAKEN},
            response_model_exclude_unset=True,
        )(self.post_message)
        router.post(f"{one}/person")(self.ask_person)
        router.post(f"{one}/resolve")(self.resolve)
        router.post(f"{one}/close")(self.close)
        router.get(f"{one}/events", response_class=EventSourceResponse)(self.events)
        router.post("/feedback")(self.vote)
        return router

    async def create(self, body: NewConversation, request: Request, token: BearerToken) -> OpenedConversation:
        """Start a conversation: anonymous, or a registered customer's with their bearer."""
        self._limits.conversation(request)
        await self._store.accounts.workspaces.read(body.workspace)
        customer = await self._access.registered(body.workspace, token)
        conversation_id = await self._intake.open(_opening(body, customer))
        door = await self._transcripts.door(conversation_id)
        customer_token = self._store.accounts.tokens.for_conversation(conversation_id, door.customer_id)
        return OpenedConversation(id=conversation_id, status=door.status, customer_token=customer_token)

    async def read(self, conversation_id: str, token: BearerToken) -> ConversationShape:
        """The conversation with its ticket's fields and everything said."""
        visit = await self._access.enter(conversation_id, token)
        conversation = await self._store.conversations.reading.read(visit.door.workspace_id, conversation_id)
        pulse = await self._transcripts.pulse(visit.door)
        said = await self._transcripts.said(visit.door, internal=visit.member is not None)
        return conversation_shape(conversation, pulse, said)

    async def post_message(
        self,
        conversation_id: str,
        body: NewMessage,
        request: Request,
        response: Response,
        token: BearerToken,
        wait: Wait = None,
    ) -> TakenMessage:
        """Write to the desk; it is kept when this answers. With `wait`, give the reply if it comes in time.

        A member of the workspace who has the conversation replies by hand.
        """
        self._limits.message(request)
        text = _checked(text_of(body))
        visit = await self._access.enter(conversation_id, token)
        if visit.member is not None:
            message_id = await self._desk.reply(visit.member, conversation_id, text)
            return TakenMessage(id=message_id, status="accepted")
        message_id = await self._accept(visit.door, text, body.external_id)
        if wait is None or self._limits.listeners.is_full:
            return TakenMessage(id=message_id, status="accepted")
        with self._limits.listeners.seat():
            taken = _taken(message_id, await self._outcome(visit.door, message_id, wait))
        if taken.status != "accepted":
            response.status_code = status.HTTP_200_OK
        return taken

    async def ask_person(self, conversation_id: str, token: BearerToken) -> StatusShape:
        """Talk to a person: whoever is free gets the conversation."""
        door = await self._access.enter_as_customer(conversation_id, token)
        if door.status is ConversationStatus.CLOSED:
            raise ConversationClosedError
        await self._desk.ask_person(door.workspace_id, conversation_id)
        return await self._status(door)

    async def resolve(self, conversation_id: str, token: BearerToken) -> StatusShape:
        """The matter is settled; a new message opens it again."""
        visit = await self._access.enter(conversation_id, token)
        await self._desk.resolve(visit.door.workspace_id, conversation_id, visit.member)
        return await self._status(visit.door)

    async def close(self, conversation_id: str, token: BearerToken) -> StatusShape:
        """End the conversation; what comes next is a new one."""
        visit = await self._access.enter(conversation_id, token)
        await self._desk.close(visit.door.workspace_id, conversation_id, visit.member)
        return await self._status(visit.door)

    async def events(
        self,
        conversation_id: str,
        request: Request,
        bearer: BearerToken,
        token: Annotated[str | None, Query(description="The bearer, for clients that cannot send headers.")] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventSourceResponse:
        """Follow the conversation: `state` at first, then `message`, `status` and `working` events.

        With `Last-Event-ID` it goes on after that message.
        """
        if token is not None:
            # A server's access log writes the query when the response starts.
            request.scope["query_string"] = b"token=-"
        visit = await self._access.enter(conversation_id, bearer or token)
        self._limits.listener()
        lasts = partial(self._access.lasts, visit, bearer or token)
        watch = ConversationStream(
            self._transcripts, self._store.conversations.reading, self._store.cluster.events, visit, lasts
        )
        stopping = anyio.Event()
        stream = SeatedStream(
            watch.events(last_seq_of(last_event_id), stopping),
            ping=PING_SECONDS,
            shutdown_event=stopping,
            shutdown_grace_period=LOOK_SECONDS + 0.2,
        )
        stream.seats = self._limits.listeners
        return stream

    async def vote(self, body: NewVote, token: BearerToken) -> KeptVote:
        """Say whether a reply helped; voting again changes the vote."""
        conversation_id = await self._transcripts.conversation_of(body.message_id)
        door = await self._access.enter_as_customer(conversation_id, token)
        await self._desk.vote(door.workspace_id, conversation_id, body.message_id, body.vote, body.comment)
        return KeptVote(message_id=body.message_id, vote=body.vote)

    async def _accept(self, door: ConversationRef, text: str, external_id: str | None) -> str:
        """Keep the customer's message; gives its id. The same external id again gives the first one's."""
        external_id = f"{scope_of(door.conversation_id)}{external_id or new_id()}"
        if door.status is ConversationStatus.CLOSED:
            if known := await self._transcripts.known(door, external_id):
                return known
            raise ConversationClosedError
        accepted = await self._intake.accept(
            Incoming(door.workspace_id, door.channel, external_id, door.thread, door.customer_external_id, text)
        )
        if accepted.conversation_id != door.conversation_id:
            # It was closed a moment ago, so that the message began a new one, which nobody would find.
            await self._desk.close(door.workspace_id, accepted.conversation_id)
            raise ConversationClosedError
        return accepted.message_id

    async def _outcome(self, door: ConversationRef, message_id: str, seconds: float) -> Progress:
        """How far the desk has come when it is settled, when the time is over, or when this process ends."""
        clock = asyncio.get_running_loop().time
        ends = clock() + seconds
        with self._store.cluster.events.listen(door.conversation_id) as news:
            while True:
                progress = await self._transcripts.progress(message_id)
                left = ends - clock()
                if progress.settled or left <= 0 or self._store.cluster.events.is_closing:
                    return progress
                await wait_for_event(news, min(left, LOOK_SECONDS))
                news.clear()

    async def _status(self, door: ConversationRef) -> StatusShape:
        pulse = await self._transcripts.pulse(door)
        return StatusShape(id=door.conversation_id, status=pulse.status, assignee=pulse.assignee)


_TAKEN = {"model": TakenMessage, "description": "Answered, or waiting for a person."}


def _opening(body: NewConversation, customer: Customer | None) -> Incoming:
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


def _checked(text: str) -> str:
    if not text:
        raise InvalidError("The text is empty: write something first.")
    if len(text) > MAX_TEXT_LENGTH:
        raise TooLargeError(f"The text has {len(text)} characters; {MAX_TEXT_LENGTH} is the most.")
    return text


def _taken(message_id: str, progress: Progress) -> TakenMessage:
    if progress.reply is not None:
        return TakenMessage(id=message_id, status="answered", reply=reply_shape(progress.reply))
    return TakenMessage(id=message_id, status="pending" if progress.waits_for_person else "accepted")
