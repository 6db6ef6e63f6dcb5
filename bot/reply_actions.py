"""Use cases of the buttons under a reply: vote, ask for a person, settle the matter, ask a follow-up, see the sources.

One rule on every platform: only the customer whose conversation it is acts by these buttons. Staff have commands, cards
and the workbench; a passer-by has nothing to decide here. Everybody who sees a reply may see what it rests on.
"""

from dataclasses import dataclass

from bot.intake import Intake
from graph.desk import Desk
from storage.conversations.intake import Accepted
from storage.errors import NotAllowedError
from storage.records import Citation, Conversation, ConversationStatus, Incoming, Vote
from storage.store import Store

NOT_THE_CUSTOMER = "Only the person who asked can use these buttons."
THANKS: dict[Vote, str] = {"up": "Thanks for your vote!", "down": "Thanks, we will do better."}
PERSON_COMES = "A person from our team will answer you here."
PERSON_IS_HERE = "A person has this already."
RESOLVED = "Marked as solved. Write here if there is anything else."


@dataclass(frozen=True, slots=True)
class ReplyClick:
    """A click on a button under a reply."""

    conversation: Conversation
    person: str
    """The external id of who clicked, whoever that is."""


class ReplyActions:
    """Does what was clicked; gives what to tell the one who clicked. Raises NotAllowedError for everybody else."""

    def __init__(self, store: Store, intake: Intake, desk: Desk) -> None:
        self._messages = store.conversations.messages
        self._intake = intake
        self._desk = desk

    async def vote(self, click: ReplyClick, message_id: str, vote: Vote) -> str:
        """Say whether the reply helped; clicked again it changes the vote."""
        conversation = _of_customer(click)
        await self._desk.vote(conversation.workspace_id, conversation.id, message_id, vote)
        return THANKS[vote]

    async def ask_person(self, click: ReplyClick) -> str:
        """Hand the conversation to a person."""
        conversation = _of_customer(click)
        await self._desk.ask_person(conversation.workspace_id, conversation.id)
        return PERSON_IS_HERE if conversation.status is ConversationStatus.ASSIGNED else PERSON_COMES

    async def resolve(self, click: ReplyClick) -> str:
        """The matter is settled."""
        conversation = _of_customer(click)
        await self._desk.resolve(conversation.workspace_id, conversation.id)
        return RESOLVED

    async def ask_follow_up(self, click: ReplyClick, question: str, external_id: str) -> Accepted:
        """The suggestion becomes the customer's next message; `external_id` is the same for the same click."""
        conversation = _of_customer(click)
        return await self._intake.accept(
            Incoming(
                workspace_id=conversation.workspace_id,
                channel=conversation.channel,
                external_id=external_id,
                thread=conversation.thread,
                customer_external_id=conversation.customer.external_id,
                text=question,
                place=conversation.place,
            )
        )

    async def sources(self, workspace_id: str, message_id: str) -> tuple[Citation, ...]:
        """What a reply rests on; for everybody who sees it."""
        message = await self._messages.find(workspace_id, message_id)
        return message.draft.citations if message and message.draft else ()


def _of_customer(click: ReplyClick) -> Conversation:
    """The rule of who may click."""
    if click.conversation.customer.external_id != click.person:
        raise NotAllowedError(NOT_THE_CUSTOMER)
    return click.conversation
