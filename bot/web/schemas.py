"""Schemas: the bodies that the web chat's REST interface takes, and the items that it gives."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.web.markdown import to_html
from storage.conversations.customer_view import Snapshot, VisibleMessage
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

MAX_MESSAGE_LENGTH = 20_000
MAX_EXTERNAL_ID_LENGTH = 128
MAX_BODY_CHARACTERS = 200_000


def _storable(text: str) -> str:
    """Without what a database cannot keep: PostgreSQL takes no NUL."""
    return text.replace("\x00", "")


ShortLine = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]


class ChatBody(BaseModel):
    """A body that is read strictly: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class ChatCustomerBody(ChatBody):
    """Who writes, as far as they say."""

    name: ShortLine = ""
    email: Annotated[str, StringConstraints(max_length=320)] | None = None


class ChatConversationBody(ChatBody):
    """A conversation that begins."""

    workspace: str
    customer: ChatCustomerBody = ChatCustomerBody()
    subject: ShortLine = ""


class OpenedConversationItem(BaseModel):
    """A conversation that has begun."""

    id: str
    status: ConversationStatus
    customer_token: str
    """The anonymous customer's bearer for this conversation."""


class ChatMessageBody(ChatBody):
    """A text for the desk."""

    text: Annotated[str, StringConstraints(max_length=MAX_BODY_CHARACTERS)]
    external_id: Annotated[str, StringConstraints(min_length=1, max_length=MAX_EXTERNAL_ID_LENGTH)] | None = None
    """The client's own id of this message: sent again, it gives the first result."""


class ChatCitationItem(BaseModel):
    """A source of a reply."""

    title: str
    text: str
    document_id: str
    url: str = Field(default="", exclude_if=lambda url: not url)
    """Where the customer can read it; left out if it has no public address."""


class ChatSourceItem(ChatCitationItem):
    """A source as the page shows it."""

    html: str
    """The passage's Markdown as safe HTML."""


class ChatReplyItem(BaseModel):
    """A reply to the customer."""

    id: str
    text: str
    author: Literal["bot", "agent"]
    confidence: float | None
    """Calibrated probability, 0 to 1, that it is right; null for an agent's own text."""
    citations: list[ChatCitationItem]
    follow_ups: list[str]


class AcceptedMessageItem(BaseModel):
    """What became of a message."""

    id: str
    status: Literal["accepted", "answered", "pending"]
    """`pending`: a person will answer."""
    reply: ChatReplyItem | None = None


class ChatMessageItem(BaseModel):
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
    citations: list[ChatSourceItem]
    follow_ups: list[str]
    vote: Vote | None


class ChatCustomerItem(BaseModel):
    """Whose conversation it is."""

    name: str
    email: str | None


class ChatConversationItem(BaseModel):
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
    customer: ChatCustomerItem
    created_at: datetime
    updated_at: datetime
    working: bool
    """Whether the desk is at work on a reply."""
    messages: list[ChatMessageItem]


class ChatStatusItem(BaseModel):
    """Whose move it is."""

    id: str
    status: ConversationStatus
    assignee: str | None = None


class VoteBody(ChatBody):
    """The customer's opinion of a reply."""

    message_id: str
    vote: Vote
    comment: Annotated[str, StringConstraints(max_length=2000)] = ""


class VoteItem(BaseModel):
    """A vote that has been kept."""

    message_id: str
    vote: Vote


class CustomerRegistrationBody(ChatBody):
    """A customer who registers."""

    email: str
    password: str
    name: ShortLine = ""


class CustomerLoginBody(ChatBody):
    """A customer who logs in."""

    email: str
    password: str


class CustomerLoginItem(BaseModel):
    """A customer's bearer."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme's name
    customer: ChatCustomerItem


class SuggestionsItem(BaseModel):
    """Questions that this desk knows the answer to."""

    workspace: str
    name: str
    items: list[str]


def storable_text(message: ChatMessageBody) -> str:
    """The text as it is kept."""
    return _storable(message.text).strip()


def chat_reply_item(message: Message) -> ChatReplyItem:
    """A reply's fixed shape. An agent's own or edited text is not vouched for by the draft's evidence."""
    draft = message.draft if message.author is Author.BOT else None
    return ChatReplyItem(
        id=message.id,
        text=message.text,
        author="bot" if message.author is Author.BOT else "agent",
        confidence=draft.confidence if draft else None,
        citations=[
            ChatCitationItem(
                title=citation.title, text=citation.text, document_id=citation.document_id, url=citation.url
            )
            for citation in (draft.citations if draft else ())
        ],
        follow_ups=list(draft.follow_ups) if draft else [],
    )


def external_id_prefix(conversation_id: str) -> str:
    """What a client's own message ids begin with in the rows: two conversations may use the same."""
    return f"{conversation_id}:"


def chat_message_item(visible: VisibleMessage) -> ChatMessageItem:
    """A message as the page and other clients show it."""
    message, external_id = visible.message, visible.external_id
    is_reply = message.author in (Author.BOT, Author.AGENT)
    reply = chat_reply_item(message)
    return ChatMessageItem(
        id=message.id,
        seq=message.seq,
        external_id=external_id.removeprefix(external_id_prefix(message.conversation_id)) if external_id else None,
        author=message.author,
        name=message.member_name if message.author is Author.AGENT else None,
        text=message.text,
        html=to_html(message.text) if is_reply else None,
        created_at=message.created_at,
        internal=message.visibility is Visibility.INTERNAL,
        confidence=reply.confidence,
        citations=[ChatSourceItem(**source.model_dump(), html=to_html(source.text)) for source in reply.citations],
        follow_ups=reply.follow_ups,
        vote=message.vote,
    )


def chat_conversation_item(
    conversation: Conversation, snapshot: Snapshot, messages: list[VisibleMessage]
) -> ChatConversationItem:
    """The whole of a conversation."""
    return ChatConversationItem(
        id=conversation.id,
        workspace=conversation.workspace_id,
        channel=conversation.channel,
        status=snapshot.status,
        subject=conversation.subject,
        intent=conversation.intent,
        priority=conversation.priority,
        assignee=snapshot.assignee,
        customer=ChatCustomerItem(name=conversation.customer.name, email=conversation.customer.email),
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        working=snapshot.working,
        messages=[chat_message_item(one) for one in messages],
    )
