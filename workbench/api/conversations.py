"""REST: conversations as members see them, and what only members do with them.

`bot.web` has what customers may do too.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from storage.records import Author, Conversation, ConversationStatus, Message, Priority
from workbench.api.dependencies import Context, CurrentMember
from workbench.api.schemas import (
    ID_LENGTH,
    Body,
    ConversationItem,
    CustomerItem,
    Id,
    Item,
    Items,
    PageCursor,
    PageLimit,
    Text,
    conversation_item,
    page_items,
)
from workbench.context import WorkbenchContext

router = APIRouter(prefix="/conversations", tags=["conversations"])

CustomerId = Annotated[str | None, Query(pattern=f"^[0-9a-f]{{{ID_LENGTH}}}$", description="A customer's id.")]


class ConversationSummaryItem(Item):
    """A conversation in few words."""

    id: str
    status: ConversationStatus
    subject: str
    intent: str | None
    priority: Priority
    assignee: str | None
    customer: CustomerItem
    messages: int
    """Texts that the customer can see."""
    first_message: str
    """The customer's first text."""
    last_message: str
    """The customer's newest text."""
    last_reply: str
    """The bot's or an agent's newest text; empty before the first."""
    summary: str
    """What was said before the last messages, for long conversations; empty for short ones."""


class AssignmentBody(Body):
    """Who gets the conversation."""

    member_id: str


class TextBody(Body):
    """A text of a member."""

    text: Text


class SentReplyItem(Item):
    """A reply that is on its way."""

    id: str
    status: ConversationStatus


@router.get("")
async def list_conversations(
    context: Context,
    member: CurrentMember,
    status: ConversationStatus | None = None,
    customer: CustomerId = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Items[ConversationItem]:
    """The workspace's conversations, the latest activity first."""
    page = await context.store.conversations.reading.page(
        member.workspace_id, status=status, customer_id=customer, limit=limit, cursor=cursor
    )
    return page_items(page, conversation_item)


@router.get("/{conversation_id}/summary")
async def read_summary(context: Context, member: CurrentMember, conversation_id: Id) -> ConversationSummaryItem:
    """What a member must know who has not read the conversation."""
    conversation = await context.store.conversations.reading.read(member.workspace_id, conversation_id)
    return _summary(
        conversation, await context.store.conversations.messages.of_conversation(member.workspace_id, conversation_id)
    )


@router.post("/{conversation_id}/take-over")
async def take_over(context: Context, member: CurrentMember, conversation_id: Id) -> ConversationItem:
    """Have the conversation; the bot is silent from now on."""
    await context.desk.take_over(member, conversation_id)
    return await _now(context, member.workspace_id, conversation_id)


@router.post("/{conversation_id}/hand-back")
async def hand_back(context: Context, member: CurrentMember, conversation_id: Id) -> ConversationItem:
    """Let the bot answer again, first of all what nobody has answered."""
    await context.desk.hand_back(member, conversation_id)
    return await _now(context, member.workspace_id, conversation_id)


@router.post("/{conversation_id}/assign")
async def assign(
    context: Context, member: CurrentMember, conversation_id: Id, body: AssignmentBody
) -> ConversationItem:
    """Give the conversation to a member of the same workspace."""
    await context.desk.assign(member, conversation_id, body.member_id.replace("\x00", ""))
    return await _now(context, member.workspace_id, conversation_id)


@router.post("/{conversation_id}/note")
async def add_note(context: Context, member: CurrentMember, conversation_id: Id, body: TextBody) -> ConversationItem:
    """Add a note that only members see."""
    await context.desk.note(member, conversation_id, body.text)
    return await _now(context, member.workspace_id, conversation_id)


@router.post("/{conversation_id}/reply", status_code=201)
async def send_reply(context: Context, member: CurrentMember, conversation_id: Id, body: TextBody) -> SentReplyItem:
    """Send a reply by hand; take the conversation over first."""
    message_id = await context.desk.reply(member, conversation_id, body.text)
    conversation = await context.store.conversations.reading.read(member.workspace_id, conversation_id)
    return SentReplyItem(id=message_id, status=conversation.status)


async def _now(context: WorkbenchContext, workspace_id: str, conversation_id: str) -> ConversationItem:
    return conversation_item(await context.store.conversations.reading.read(workspace_id, conversation_id))


def _summary(conversation: Conversation, messages: list[Message]) -> ConversationSummaryItem:
    asked = [message.text for message in messages if message.author is Author.CUSTOMER]
    replied = [message.text for message in messages if message.author in (Author.BOT, Author.AGENT)]
    item = conversation_item(conversation)
    return ConversationSummaryItem(
        **item.model_dump(include={"id", "status", "subject", "intent", "priority", "assignee"}),
        customer=item.customer,
        messages=len(messages),
        first_message=asked[0] if asked else "",
        last_message=asked[-1] if asked else "",
        last_reply=replied[-1] if replied else "",
        summary=conversation.summary,
    )
