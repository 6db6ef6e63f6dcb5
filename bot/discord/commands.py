"""Slash commands: /ask, /support, /status for everybody; /takeover, /handback, /resolve for the team."""

from typing import Any

import discord
from discord import app_commands

from bot.discord.channel import DiscordChannel
from bot.discord.connection.client import DeskClient
from bot.discord.deps import DiscordDeps
from bot.discord.direct_messages import DirectMessageRouter
from bot.discord.directory import Directory
from bot.discord.ephemeral import reply_ephemeral, report_error
from bot.discord.events import INVITATION
from bot.discord.replies.rendering import MAX_CONTENT, shortened, sources_embed
from bot.discord.texts import thread_name
from bot.text import neutralise_mentions, pluralise
from storage.errors import DeskhandError
from storage.records import Conversation, ConversationStatus, Incoming, Member, ReviewStatus, Route

CommandInteraction = discord.Interaction[Any]
STATUS_PHRASES = {
    ConversationStatus.OPEN: "being answered",
    ConversationStatus.PENDING: "a person is looking at it",
    ConversationStatus.ASSIGNED: "with a person",
    ConversationStatus.RESOLVED: "solved",
    ConversationStatus.CLOSED: "closed",
}
UNSURE = "I am not sure enough to answer this alone. Use `/support` to bring it to the team."
NOT_SERVED = "There is no support conversation in this channel."
SEVERAL_TEAMS = "You share servers with more than one team: use this command in the server that it is about."
TEAM_ONLY = "Only the team can do this."


class NotHereError(DeskhandError):
    """This command cannot be used here."""

    kind = "not-here"
    status = 409


class DiscordCommands:
    """What the commands do; each answer is seen by its user only."""

    def __init__(
        self, deps: DiscordDeps, channel: DiscordChannel, directory: Directory, direct_messages: DirectMessageRouter
    ) -> None:
        self._store = deps.store
        self._intake = deps.intake
        self._desk = deps.desk
        self._statuses = deps.statuses
        self._typing = deps.typing
        self._channel = channel
        self._directory = directory
        self._direct_messages = direct_messages

    async def ask(self, interaction: CommandInteraction, question: str) -> None:
        """Answer at once if the desk may; nothing is kept, and no unreviewed draft is shown."""
        workspace_id = await self._begin(interaction)
        settings = (await self._store.accounts.workspaces.read(workspace_id)).settings
        draft, verdict, _ = await self._desk.propose(workspace_id, question, settings)
        if verdict.route is not Route.SEND:
            await reply_ephemeral(interaction, UNSURE)
            return
        embeds = [sources_embed(draft.citations, draft.text)] if draft.citations else []
        text = shortened(neutralise_mentions(draft.text), MAX_CONTENT)
        await reply_ephemeral(interaction, text, embeds)

    async def support(self, interaction: CommandInteraction, question: str) -> None:
        """Open a private thread with the desk."""
        workspace_id = await self._begin(interaction)
        parent = interaction.channel
        parent = parent.parent if isinstance(parent, discord.Thread) else parent
        if not isinstance(parent, discord.TextChannel):
            raise NotHereError("Private threads need a text channel: use `/support` there, or write to me directly.")
        user = interaction.user
        thread = await parent.create_thread(name=thread_name(question, user.display_name), type=PRIVATE_THREAD)
        await thread.add_user(user)
        incoming = Incoming(
            workspace_id=workspace_id,
            channel="discord",
            external_id=f"support:{interaction.id}",
            thread=str(thread.id),
            customer_external_id=str(user.id),
            text=question,
            customer_name=user.display_name,
            place=str(parent.id),
        )
        await self._begin_conversation(incoming, thread.id, str(interaction.id))
        await reply_ephemeral(interaction, f"Here is your private thread: {thread.mention}")

    async def status(self, interaction: CommandInteraction) -> None:
        """The conversations of who asks; for the team also the queue."""
        workspace_id = await self._begin(interaction)
        mine = await self._store.conversations.threads.of_customer(workspace_id, "discord", str(interaction.user.id))
        lines = [_status_line(conversation) for conversation in mine] or ["You have no open conversation."]
        if await self._directory.staff_member(workspace_id, interaction.user):
            pending = await self._store.conversations.reviews.page(workspace_id, ReviewStatus.PENDING)
            waiting = pluralise(len(pending.items), "draft waits", "drafts wait")
            lines.append(f"**Queue:** {'more than ' if pending.next else ''}{waiting} for a decision.")
        await reply_ephemeral(interaction, shortened("\n".join(lines), MAX_CONTENT))

    async def take_over(self, interaction: CommandInteraction) -> None:
        """The member has this thread's conversation."""
        member, conversation = await self._staff_and_conversation(interaction)
        await self._desk.take_over(member, conversation.id)
        await reply_ephemeral(interaction, "You have this conversation; the bot is silent.")

    async def hand_back(self, interaction: CommandInteraction) -> None:
        """The bot answers again."""
        member, conversation = await self._staff_and_conversation(interaction)
        await self._desk.hand_back(member, conversation.id)
        await reply_ephemeral(interaction, "Handed back: the bot answers again.")

    async def resolve(self, interaction: CommandInteraction) -> None:
        """The matter is settled, says the team or the customer."""
        workspace_id = await self._begin(interaction)
        conversation = await self._conversation(workspace_id, interaction)
        member = await self._directory.staff_member(workspace_id, interaction.user)
        if member is None and conversation.customer.external_id != str(interaction.user.id):
            raise NotHereError(TEAM_ONLY)
        await self._desk.resolve(workspace_id, conversation.id, member)
        await reply_ephemeral(interaction, "Marked as solved.")

    async def failed(self, interaction: CommandInteraction, error: app_commands.AppCommandError) -> None:
        """The outermost edge of the commands: the user is told something true."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        await report_error(interaction, cause)

    async def _begin(self, interaction: CommandInteraction) -> str:
        """Answer within Discord's three seconds; gives the workspace."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        self._statuses.event("discord")
        if interaction.guild_id is not None:
            return await self._directory.workspace_of(interaction.guild_id)
        workspace_id = await self._direct_messages.workspace_of(interaction.user.id, interaction.channel_id or 0)
        if workspace_id is None:
            raise NotHereError(SEVERAL_TEAMS)
        return workspace_id

    async def _begin_conversation(self, incoming: Incoming, thread_id: int, key: str) -> None:
        """Show the question in its thread and keep it; without one, ask for it."""
        if not incoming.text:
            await self._intake.open(incoming)
            await self._channel.post_notice(thread_id, INVITATION, f"invitation/{key}")
            return
        await self._channel.post_notice(thread_id, f"> {neutralise_mentions(incoming.text)}", f"question/{key}")
        accepted = await self._intake.accept(incoming)
        if accepted.turn_id is not None:
            reading = self._store.conversations.reading
            conversation = await reading.read(accepted.workspace_id, accepted.conversation_id)
            self._typing.show(self._channel, conversation)

    async def _staff_and_conversation(self, interaction: CommandInteraction) -> tuple[Member, Conversation]:
        workspace_id = await self._begin(interaction)
        member = await self._directory.staff_member(workspace_id, interaction.user)
        if member is None:
            raise NotHereError(TEAM_ONLY)
        return member, await self._conversation(workspace_id, interaction)

    async def _conversation(self, workspace_id: str, interaction: CommandInteraction) -> Conversation:
        thread = str(interaction.channel_id)
        conversation = await self._store.conversations.threads.find(workspace_id, "discord", thread)
        if conversation is None:
            raise NotHereError(NOT_SERVED)
        return conversation


PRIVATE_THREAD = discord.ChannelType.private_thread
EVERYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)


def command_tree(client: DeskClient, commands: DiscordCommands) -> app_commands.CommandTree[DeskClient]:
    """The commands as Discord knows them."""
    tree = app_commands.CommandTree(client, allowed_contexts=EVERYWHERE)

    @tree.command(description="Ask the knowledge base; only you see the answer.")
    @app_commands.describe(question="What do you want to know?")
    async def ask(interaction: CommandInteraction, question: str) -> None:
        with client.handling():
            await commands.ask(interaction, question)

    @tree.command(description="Talk to support in a private thread.")
    @app_commands.describe(question="What is it about?")
    @app_commands.guild_only()
    async def support(interaction: CommandInteraction, question: str = "") -> None:
        with client.handling():
            await commands.support(interaction, question.strip())

    @tree.command(description="How your conversations stand.")
    async def status(interaction: CommandInteraction) -> None:
        with client.handling():
            await commands.status(interaction)

    @tree.command(description="Team: take this conversation over; the bot falls silent.")
    async def takeover(interaction: CommandInteraction) -> None:
        with client.handling():
            await commands.take_over(interaction)

    @tree.command(description="Team: let the bot answer this conversation again.")
    async def handback(interaction: CommandInteraction) -> None:
        with client.handling():
            await commands.hand_back(interaction)

    @tree.command(description="This conversation's matter is settled.")
    async def resolve(interaction: CommandInteraction) -> None:
        with client.handling():
            await commands.resolve(interaction)

    tree.error(commands.failed)
    return tree


def _status_line(conversation: Conversation) -> str:
    where = f"<#{conversation.thread}>" if conversation.place else "direct messages"
    return (
        f"• {shortened(conversation.subject, 80) or 'No subject yet'} ({where}): {STATUS_PHRASES[conversation.status]}"
    )
