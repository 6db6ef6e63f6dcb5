"""What the web chat's REST interface takes and gives."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.web.markdown import rendered
from storage.conversations.customer_view import Said, Snapshot
from storage.records import (
    Author,
    ChannelName,
    Conversation,
    ConversationStatus,
    Message,
    Priority,
    Visibility,
    Vote,
)

MAX_TEXT_LENGTH = 20_000
MAX_EXTERNAL_ID_LENGTH = 128
MAX_BODY_CHARACTERS = 200_000


def _storable(text: str) -> str:
    """Without what a database cannot keep: PostgreSQL takes no NUL."""
    return text.replace("\x00", "")


Line = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]


class Shape(BaseModel):
    """A body that is read strictly: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class NewCustomer(Shape):
    """Who writes, as far as they say."""

    name: Line = ""
    email: Annotated[str, StringConstraints(max_length=320)] | None = None


class NewConversation(Shape):
    """A conversation that begins."""

    workspace: str
    customer: NewCustomer = NewCustomer()
    subject: Line = ""


class OpenedConversation(BaseModel):
    """A conversation that has begun."""

    id: str
    status: ConversationStatus
    customer_token: str
    """The anonymous customer's bearer for this conversation."""


class NewMessage(Shape):
    """A text for the desk."""

    text: Annotated[str, StringConstraints(max_length=MAX_BODY_CHARACTERS)]
    external_id: Annotated[str, StringConstraints(min_length=1, max_length=MAX_EXTERNAL_ID_LENGTH)] | None = None
    """The client's own id of this message: sent again, it gives the first result."""


class CitationShape(BaseModel):
    """A source of a reply."""

    title: str
    text: str
    document_id: str
    url: str = Field(default="", exclude_if=lambda url: not url)
    """Where the customer can read it; left out if it has no public address."""


class SourceShape(CitationShape):
    """A source as the page shows it."""

    html: str
    """The passage's Markdown as safe HTML."""


class ReplyShape(BaseModel):
    """A reply to the customer."""

    id: str
    text: str
    author: Literal["bot", "agent"]
    confidence: float | None
    """Calibrated probability, 0 to 1, that it is right; null for an agent's own text."""
    citations: list[CitationShape]
    follow_ups: list[str]


class TakenMessage(BaseModel):
    """What became of a message."""

    id: str
    status: Literal["accepted", "answered", "pending"]
    """`pending`: a person will answer."""
    reply: ReplyShape | None = None


class MessageShape(BaseModel):
    """One message of a conversation; the reply's fields are null or empty for the others."""

    id: str
    seq: int
    external_id: str | None
    """The client's own id of a customer's message."""
    author: Author
    name: str | None
    """The agent's name."""
    text: str
    html: str | None
    """A reply's Markdown as safe HTML."""
    created_at: datetime
    internal: bool
    """A note or line that only members see."""
    confidence: float | None
    citations: list[SourceShape]
    follow_ups: list[str]
    vote: Vote | None


class CustomerShape(BaseModel):
    """Whose conversation it is."""

    name: str
    email: str | None


class ConversationShape(BaseModel):
    """A conversation with its ticket's fields and everything said."""

    id: str
    workspace: str
    channel: ChannelName
    status: ConversationStatus
    subject: str
    intent: str | None
    priority: Priority
    assignee: str | None
    """The name of the agent who has it."""
    customer: CustomerShape
    created_at: datetime
    updated_at: datetime
    working: bool
    """Whether the desk is at work on a reply."""
    messages: list[MessageShape]


class StatusShape(BaseModel):
    """Whose move it is."""

    id: str
    status: ConversationStatus
    assignee: str | None = None


class NewVote(Shape):
    """The customer's opinion of a reply."""

    message_id: str
    vote: Vote
    comment: Annotated[str, StringConstraints(max_length=2000)] = ""


class KeptVote(BaseModel):
    """A vote that has been kept."""

    message_id: str
    vote: Vote


class NewLogin(Shape):
    """A customer who registers."""

    email: str
    password: str
    name: Line = ""


class Login(Shape):
    """A customer who logs in."""

    email: str
    password: str


class LoggedIn(BaseModel):
    """A customer's bearer."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme's name
    customer: CustomerShape


class Suggestions(BaseModel):
    """Questions that this desk knows the answer to."""

    workspace: str
    name: str
    items: list[str]


def text_of(message: NewMessage) -> str:
    """The text as it is kept."""
    return _storable(message.text).strip()


def reply_shape(message: Message) -> ReplyShape:
    """A reply's fixed shape. An agent's own or edited text is not vouched for by the draft's evidence."""
    draft = message.draft if message.author is Author.BOT else None
    return ReplyShape(
        id=message.id,
        text=message.text,
        author="bot" if message.author is Author.BOT else "agent",
        confidence=draft.confidence if draft else None,
        citations=[
            CitationShape(title=citation.title, text=citation.text, document_id=citation.document_id, url=citation.url)
            for citation in (draft.citations if draft else ())
        ],
        follow_ups=list(draft.follow_ups) if draft else [],
    )


def scope_of(conversation_id: str) -> str:
    """What a client's own message ids begin with in the rows: two conversations may use the same."""
    return f"{conversation_id}:"


def message_shape(said: Said) -> MessageShape:
    """A message as the page and other clients show it."""
    message = said.message
    is_reply = message.author in (Author.BOT, Author.AGENT)
    reply = reply_shape(message)
    return MessageShape(
        id=message.id,
        seq=message.seq,
        external_id=said.external_id.removeprefix(scope_of(message.conversation_id)) if said.external_id else None,
        author=message.author,
        name=message.member_name if message.author is Author.AGENT else None,
        text=message.text,
        html=rendered(message.text) if is_reply else None,
        created_at=message.created_at,
        internal=message.visibility is Visibility.INTERNAL,
        confidence=reply.confidence,
        citations=[SourceShape(**source.model_dump(), html=rendered(source.text)) for source in reply.citations],
        follow_ups=reply.follow_ups,
        vote=message.vote,
    )


def conversation_shape(conversation: Conversation, pulse: Snapshot, said: list[Said]) -> ConversationShape:
    """The whole of a conversation."""
    return ConversationShape(
        id=conversation.id,
        workspace=conversation.workspace_id,
        channel=conversation.channel,
        status=pulse.status,
        subject=conversation.subject,
        intent=conversation.intent,
        priority=conversation.priority,
        assignee=pulse.assignee,
        customer=CustomerShape(name=conversation.customer.name, email=conversation.customer.email),
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        working=pulse.working,
        messages=[message_shape(one) for one in said],
    )
