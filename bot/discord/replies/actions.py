"""What the customer's buttons do: vote, ask for a person, mark as solved, ask a follow-up."""

import discord

from bot.discord.ephemeral import tell
from bot.discord.replies.buttons import ButtonInteraction
from bot.discord.routing import Ears
from bot.text import neutralise_mentions
from storage.records import (
    Conversation,
    Incoming,
    Member,
    Message,
    Vote,
)

THANKS: dict[Vote, str] = {"up": "Thanks for your vote!", "down": "Thanks, we will do better."}
NOT_YOURS = "Only the person who asked and the team can use these buttons."
GONE = "This reply is not known here any more."


class DiscordReplyActions:
    """Acts for the thread's customer and the staff; the answers are seen by who clicked only."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears

    async def clicked(self, interaction: ButtonInteraction, action: str, message_id: str, number: int) -> None:
        """A button under a reply was pressed."""
        self._ears.states.event("discord")
        await interaction.response.defer(ephemeral=True, thinking=True)
        await tell(interaction, await self._answer(interaction, action, message_id, number))

    async def _answer(self, interaction: ButtonInteraction, action: str, message_id: str, number: int) -> str:
        message = await self._reply(interaction.guild_id, message_id)
        if message is None:
            return GONE
        conversation = await self._ears.store.conversations.reading.read(message.workspace_id, message.conversation_id)
        staff = await self._ears.directory.staff(message.workspace_id, interaction.user)
        if conversation.customer.external_id != str(interaction.user.id) and staff is None:
            return NOT_YOURS
        return await self._act(conversation, message, action, number, staff, interaction.user)

    async def _reply(self, guild_id: int | None, message_id: str) -> Message | None:
        """The reply, of the server's workspace; in direct messages of any that the desk serves."""
        served = await self._ears.direct.served()
        for workspace_id in served if guild_id is None else [await self._ears.directory.workspace_of(guild_id)]:
            if message := await self._ears.store.conversations.messages.find(workspace_id, message_id):
                return message
        return None

    async def _act(
        self,
        conversation: Conversation,
        message: Message,
        action: str,
        number: int,
        staff: Member | None,
        user: discord.User | discord.Member,
    ) -> str:
        match action:
            case "up" | "down":
                return await self._vote(conversation, message, "up" if action == "up" else "down")
            case "person":
                return await self._person(conversation)
            case "solved":
                await self._ears.desk.resolve(conversation.workspace_id, conversation.id, staff)
                return "Marked as solved. Write here if there is anything else."
            case _:
                return await self._ask(conversation, message, number, str(user.id))

    async def _vote(self, conversation: Conversation, message: Message, vote: Vote) -> str:
        await self._ears.desk.vote(conversation.workspace_id, conversation.id, message.id, vote)
        return THANKS[vote]

    async def _person(self, conversation: Conversation) -> str:
        await self._ears.desk.ask_person(conversation.workspace_id, conversation.id)
        return "A person from our team will answer you here."

    async def _ask(self, conversation: Conversation, message: Message, number: int, user_id: str) -> str:
        follow_ups = message.draft.follow_ups if message.draft else ()
        if number >= len(follow_ups) or conversation.customer.external_id != user_id:
            return NOT_YOURS
        question = follow_ups[number]
        # By the button's own id: pressed twice, it is asked once.
        accepted = await self._ears.intake.accept(
            Incoming(
                workspace_id=conversation.workspace_id,
                channel="discord",
                external_id=f"follow-up:{message.id}:{number}",
                thread=conversation.thread,
                customer_external_id=user_id,
                text=question,
                place=conversation.place,
            )
        )
        if accepted.turn_id is not None:
            said = f"> {neutralise_mentions(question)}"
            await self._ears.channel.say(int(conversation.thread), said, f"follow-up/{message.id}/{number}")
            self._ears.signs.show(self._ears.channel, conversation)
        return f"You asked: {question}"
