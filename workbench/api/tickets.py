"""REST: tickets, which are conversations that a member opens for a customer who wrote or called elsewhere."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from storage.accounts.emails import checked_email
from storage.errors import InvalidError
from storage.records import Author, ConversationStatus, Incoming, Message, Sentiment, new_id
from workbench.api.answers import AnswerItem, answer_of
from workbench.api.dependencies import Context, CurrentMember
from workbench.api.schemas import (
    Body,
    ConversationItem,
    Id,
    Items,
    MessageItem,
    NonEmptyText,
    PageCursor,
    PageLimit,
    SingleLine,
    conversation_item,
    message_item,
    page_items,
)

router = APIRouter(prefix="/tickets", tags=["tickets"])


class TicketBody(Body):
    """A customer's matter."""

    subject: SingleLine
    body: NonEmptyText
    customer_email: Annotated[str, StringConstraints(max_length=320)]
    customer_name: SingleLine = ""


class TicketItem(ConversationItem):
    """A ticket with everything said in it."""

    messages: list[MessageItem]


class EvaluationItem(AnswerItem):
    """What the desk makes of a ticket."""

    ticket_id: str
    question: str
    """The customer's words that this is about."""
    sentiment: Sentiment
    language: str
    """ISO 639-1 code."""


@router.post("", status_code=201)
async def create_ticket(context: Context, member: CurrentMember, body: TicketBody) -> ConversationItem:
    """Open a web conversation of this customer; the desk answers it like any other."""
    email = checked_email(body.customer_email)
    accepted = await context.accept(
        Incoming(
            workspace_id=member.workspace_id,
            channel="web",
            external_id=f"ticket-{new_id()}",
            thread=f"ticket-{new_id()}",
            # Not the customer's login: whoever registers with an address has not shown that it is theirs.
            customer_external_id=f"email:{email}"[:200],
            text=body.body,
            customer_name=body.customer_name,
            customer_email=email,
            subject=body.subject,
        )
    )
    return conversation_item(
        await context.store.conversations.reading.read(member.workspace_id, accepted.conversation_id)
    )


@router.get("")
async def list_tickets(
    context: Context,
    member: CurrentMember,
    status: ConversationStatus | None = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Items[ConversationItem]:
    """The workspace's tickets, the latest activity first: every conversation is one."""
    page = await context.store.conversations.reading.page(
        member.workspace_id, status=status, limit=limit, cursor=cursor
    )
    return page_items(page, conversation_item)


@router.get("/{ticket_id}")
async def read_ticket(context: Context, member: CurrentMember, ticket_id: Id) -> TicketItem:
    """One ticket with its messages, notes included."""
    conversation = await context.store.conversations.reading.read(member.workspace_id, ticket_id)
    texts = await context.store.conversations.messages.of_conversation(member.workspace_id, ticket_id, internal=True)
    return TicketItem(**conversation_item(conversation).model_dump(), messages=[message_item(text) for text in texts])


@router.post("/{ticket_id}/ai-evaluate")
async def evaluate_ticket(context: Context, member: CurrentMember, ticket_id: Id) -> EvaluationItem:
    """Run the desk on what the customer wrote last; nothing is kept or sent."""
    conversation = await context.store.conversations.reading.read(member.workspace_id, ticket_id)
    texts = await context.store.conversations.messages.of_conversation(member.workspace_id, ticket_id)
    question = _question(texts)
    workspace = await context.store.accounts.workspaces.read(member.workspace_id)
    draft, verdict, triage = await context.desk.propose(workspace.id, question, workspace.settings)
    return EvaluationItem(
        ticket_id=conversation.id,
        question=question,
        sentiment=triage.sentiment,
        language=triage.language,
        **answer_of(draft, verdict, triage).model_dump(),
    )


def _question(texts: Sequence[Message]) -> str:
    """The customer's texts since the last reply; those before it if there are none since."""
    fresh: list[str] = []
    answered: list[str] = []
    for text in texts:
        if text.author is Author.CUSTOMER:
            fresh.append(text.text)
        elif text.author in (Author.BOT, Author.AGENT):
            answered, fresh = fresh or answered, []
    if not (fresh or answered):
        raise InvalidError("The customer has not written anything yet.")
    return "\n".join(fresh or answered)
