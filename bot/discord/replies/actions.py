"""Buttons under a reply on Discord: each click becomes one of the shared use cases, answered to who clicked only."""

from bot.discord.channel import DiscordChannel
from bot.discord.deps import DiscordDeps
from bot.discord.direct_messages import DirectMessageRouter
from bot.discord.ephemeral import reply_ephemeral
from bot.discord.interactions import ButtonInteraction
from bot.reply_actions import ReplyActions, ReplyClick
from bot.text import neutralise_mentions
from storage.records import Message

UNKNOWN_REPLY = "This reply is not known here any more."


class DiscordReplyActions:
    """Finds the reply by the button's id, and does what was clicked."""

    def __init__(
        self, deps: DiscordDeps, actions: ReplyActions, channel: DiscordChannel, direct_messages: DirectMessageRouter
    ) -> None:
        self._messages = deps.store.conversations.messages
        self._conversations = deps.store.conversations.reading
        self._statuses = deps.statuses
        self._typing = deps.typing
        self._actions = actions
        self._channel = channel
        self._direct_messages = direct_messages

    async def click(self, interaction: ButtonInteraction, action: str, message_id: str, number: int) -> None:
        """A button under a reply was clicked."""
        self._statuses.event("discord")
        await interaction.response.defer(ephemeral=True, thinking=True)
        message = await self._reply(interaction.guild_id, message_id)
        if message is None:
            await reply_ephemeral(interaction, UNKNOWN_REPLY)
            return
        conversation = await self._conversations.read(message.workspace_id, message.conversation_id)
        click = ReplyClick(conversation, str(interaction.user.id))
        await reply_ephemeral(interaction, await self._act(click, message, action, number))

    async def _reply(self, guild_id: int | None, message_id: str) -> Message | None:
        """The reply, of the server's workspace; in direct messages of any that the desk serves."""
        for workspace_id in await self._direct_messages.workspaces_of(guild_id):
            if message := await self._messages.find(workspace_id, message_id):
                return message
        return None

    async def _act(self, click: ReplyClick, message: Message, action: str, number: int) -> str:
        match action:
            case "up" | "down":
                return await self._actions.vote(click, message.id, "up" if action == "up" else "down")
            case "person":
                return await self._actions.ask_person(click)
            case "solved":
                return await self._actions.resolve(click)
            case _:
                return await self._ask_follow_up(click, message, number)

    async def _ask_follow_up(self, click: ReplyClick, message: Message, number: int) -> str:
        follow_ups = message.draft.follow_ups if message.draft else ()
        if number >= len(follow_ups):
            return UNKNOWN_REPLY
        question = follow_ups[number]
        # By the button's own id: clicked twice, it is asked once.
        accepted = await self._actions.ask_follow_up(click, question, f"follow-up:{message.id}:{number}")
        if accepted.turn_id is not None:
            thread_id, text = int(click.conversation.thread), f"> {neutralise_mentions(question)}"
            await self._channel.post_notice(thread_id, text, f"follow-up/{message.id}/{number}")
            self._typing.show(self._channel, click.conversation)
        return f"You asked: {question}"
