"""Request and response schemas that several resources share."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from storage.database.paging import Page
from storage.errors import NotFoundError
from storage.records import (
    Author,
    ChannelName,
    Citation,
    Conversation,
    ConversationStatus,
    Message,
    Priority,
    Visibility,
    Vote,
)

ID_LENGTH = 32
MAX_BODY_TEXT_LENGTH = 20_000
ItemT = TypeVar("ItemT")
RecordT = TypeVar("RecordT")


def _storable(given: Any) -> Any:
    """Without what a database cannot keep: PostgreSQL takes no NUL."""
    return given.replace("\x00", "") if isinstance(given, str) else given


def _id(given: str) -> str:
    """What cannot be an id names nothing; it must not reach the database, which may not even take its characters."""
    if len(given) != ID_LENGTH or not given.isalnum() or not given.isascii():
        raise NotFoundError
    return given


# The validator stands last, so that it runs first and pydantic checks the length after stripping.
Text = Annotated[str, StringConstraints(max_length=MAX_BODY_TEXT_LENGTH), BeforeValidator(_storable)]
NonEmptyText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_BODY_TEXT_LENGTH, strip_whitespace=True),
    BeforeValidator(_storable),
]
"""A text that says something."""
SingleLine = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True), BeforeValidator(_storable)]
Id = Annotated[str, Path(description="The item's id."), AfterValidator(_id)]
PageLimit = Annotated[int, Query(ge=1, le=200, description="The most items in the answer.")]
PageCursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]


class Item(BaseModel):
    """What a client gets; may be read from a record of the same fields."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class Body(BaseModel):
    """What a client sends: read strictly, unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Items(Item, Generic[ItemT]):
    """A list, or a page of it."""

    items: list[ItemT]
    next: str | None = None
    """Pass it as `cursor` for the next page; null at the end."""


class CitationItem(Item):
    """A source of a reply."""

    title: str
    text: str
    document_id: str
    url: str = Field(default="", exclude_if=lambda url: not url)
    """Where the customer can read it; left out if it has no public address."""


class CustomerItem(Item):
    """Whose conversation it is."""

    id: str
    name: str
    email: str | None


class ConversationItem(Item):
    """A conversation, which is also the ticket."""

    id: str
    channel: ChannelName
    status: ConversationStatus
    subject: str
    first_line: str
    """The newest customer message's beginning."""
    intent: str | None
    priority: Priority
    assignee: str | None
    """The name of the member who has it."""
    assignee_id: str | None
    customer: CustomerItem
    created_at: datetime
    updated_at: datetime


class MessageItem(Item):
    """One text of a conversation, as members see it."""

    id: str
    seq: int
    author: Author
    member: str | None
    """The name of the member who wrote, approved or did it."""
    internal: bool
    """A note or line that only members see."""
    text: str
    created_at: datetime
    confidence: float | None
    """Of the draft that this reply was sent from."""
    citations: list[CitationItem]
    vote: Vote | None


def page_items(page: Page[RecordT], item_of: Callable[[RecordT], ItemT]) -> Items[ItemT]:
    """A page of records as a page of items."""
    return Items(items=[item_of(record) for record in page.items], next=page.next)


def citation_items(citations: Sequence[Citation]) -> list[CitationItem]:
    """What a client is told of the sources."""
    return [
        CitationItem(title=item.title, text=item.text, document_id=item.document_id, url=item.url) for item in citations
    ]


def conversation_item(conversation: Conversation) -> ConversationItem:
    """A conversation in lists and as the result of an act."""
    customer = conversation.customer
    return ConversationItem(
        id=conversation.id,
        channel=conversation.channel,
        status=conversation.status,
        subject=conversation.subject,
        first_line=conversation.first_line,
        intent=conversation.intent,
        priority=conversation.priority,
        assignee=conversation.assignee_name,
        assignee_id=conversation.assignee_id,
        customer=CustomerItem(id=customer.id, name=customer.name, email=customer.email),
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
    )


def message_item(message: Message) -> MessageItem:
    """A message as members see it."""
    return MessageItem(
        id=message.id,
        seq=message.seq,
        author=message.author,
        member=message.member_name,
        internal=message.visibility is Visibility.INTERNAL,
        text=message.text,
        created_at=message.created_at,
        confidence=message.draft.confidence if message.draft else None,
        citations=citation_items(message.draft.citations if message.draft else ()),
        vote=message.vote,
    )
