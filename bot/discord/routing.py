"""What people write on Discord: who is heard where, and how it reaches the desk."""

from dataclasses import dataclass, replace

import discord
import structlog

from bot.channel_status import ChannelStatusRegistry
from bot.discord.channel import DiscordChannel
from bot.discord.client import DeskClient
from bot.discord.direct_messages import NOBODY, DirectMessageRouter
from bot.discord.directory import Directory
from bot.discord.ephemeral import tell
from bot.discord.forum_posts import post_text
from bot.discord.read_cursors import DiscordReadCursors
from bot.discord.team_choice import ChoiceInteraction
from bot.discord.texts import (
    files_of,
    is_for,
    is_from_human,
    text_of,
    thread_name,
)
from bot.errors import ChannelError
from bot.intake import Intake
from bot.keyed_lock import KeyedLock
from bot.typing_indicator import TypingIndicators
from graph.desk import Desk
from storage.errors import ConversationClosedError
from storage.records import Conversation, Incoming
from storage.store import Store

log = structlog.get_logger(__name__)

INVITATION = "How can we help? Write your question here."


@dataclass(frozen=True, slots=True)
class Ears:
    """What hearing needs."""

    client: DeskClient
    store: Store
    intake: Intake
    desk: Desk
    directory: Directory
    channel: DiscordChannel
    signs: TypingIndicators
    states: ChannelStatusRegistry
    direct: DirectMessageRouter
    marks: DiscordReadCursors


class DiscordMessageRouter:
    """Takes messages, edits and deletions; the same ones again change nothing."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._turnstile = KeyedLock()

    async def heard(self, message: discord.Message) -> None:
        """Somebody wrote: keep it if it is for the desk."""
        if not is_from_human(message):
            return
        self._ears.states.event("discord")
        async with self._turnstile.through(message.channel.id):
            try:
                await self._hear(message)
            except Exception:
                if message.guild is not None:
                    self._ears.marks.hold(message.guild.id)
                raise

    async def edited(self, event: discord.RawMessageUpdateEvent) -> None:
        """Somebody changed a message; what has not been answered is answered as it reads now."""
        message = event.message
        if message.edited_at is None or not is_from_human(message):
            return
        self._ears.states.event("discord")
        async with self._turnstile.through(event.channel_id):
            await self._edit(message)

    async def deleted(self, guild_id: int | None, channel_id: int, message_id: int) -> None:
        """A message is gone: it is not answered any more."""
        async with self._turnstile.through(channel_id):
            workspace_id = await self._keeper(guild_id, message_id)
            if workspace_id and await self._ears.store.conversations.threads.of_message(
                workspace_id, "discord", str(message_id)
            ):
                await self._ears.intake.delete(workspace_id, "discord", str(message_id))

    async def chosen(self, interaction: ChoiceInteraction, message_id: int, workspace_id: str) -> None:
        """Somebody said which team their direct messages are for: what they wrote meanwhile goes there."""
        self._ears.states.event("discord")
        await interaction.response.defer()
        teams = await self._ears.direct.shared(interaction.user.id)
        if workspace_id not in teams:
            await tell(interaction, NOBODY)
            return
        channel_id = interaction.channel_id or 0
        async with self._turnstile.through(channel_id):
            known = await self._ears.direct.conversation(channel_id)
            team = known.workspace_id if known else workspace_id
            for message in await self._ears.direct.since(interaction, message_id):
                await self._accept(await self._incoming(team, message, channel_id))
            if await self._ears.direct.conversation(channel_id) is None:
                # What they wrote is gone; the choice is kept.
                user = interaction.user
                await self._ears.intake.open(
                    Incoming(team, "discord", "", str(channel_id), str(user.id), "", customer_name=user.display_name)
                )
        name = discord.utils.escape_markdown(teams.get(team, "another team"))
        await interaction.edit_original_response(content=f"This conversation is with **{name}**.", view=None)

    async def _hear(self, message: discord.Message) -> None:
        if message.guild is None:
            await self._in_direct(message)
            return
        workspace_id = await self._ears.directory.workspace_of(message.guild.id)
        channel = await self._resolved(message)
        if isinstance(channel, discord.Thread):
            await self._in_thread(workspace_id, message, channel)
        elif isinstance(channel, discord.TextChannel):
            await self._in_channel(workspace_id, message, channel)
        await self._ears.marks.heard(workspace_id, message.guild.id, message.created_at)

    async def _in_direct(self, message: discord.Message) -> None:
        """A mail to the team; to which one, they are asked if it may be several."""
        if not text_of(message, self._ears.client.me) and not message.attachments:
            return
        workspace_id = await self._ears.direct.of(message.author.id, message.channel.id)
        if workspace_id is None:
            await self._ears.direct.ask(message)
            return
        await self._accept(await self._incoming(workspace_id, message, message.channel.id))

    async def _keeper(self, guild_id: int | None, message_id: int) -> str | None:
        """The workspace that a message belongs to, if it is kept."""
        if guild_id is None:
            return await self._ears.direct.holding(message_id)
        return await self._ears.directory.workspace_of(guild_id)

    async def _resolved(self, message: discord.Message) -> object:
        """The message's channel; asked for when the gateway has not told of it, as for a thread that woke up."""
        if not isinstance(message.channel, discord.PartialMessageable) or message.guild is None:
            return message.channel
        return await self._ears.client.fetch_channel(message.channel.id)

    async def _in_thread(self, workspace_id: str, message: discord.Message, thread: discord.Thread) -> None:
        """In a thread that the desk serves its customer and the staff are heard, nobody else."""
        conversation = await self._ears.store.conversations.threads.find(workspace_id, "discord", str(thread.id))
        if conversation is None:
            if await self._begins_in(workspace_id, message, thread):
                await self._accept(await self._from_thread(workspace_id, message, thread))
        elif conversation.customer.external_id == str(message.author.id):
            await self._accept(await self._from_thread(workspace_id, message, thread))
        elif member := await self._ears.directory.staff(workspace_id, message.author):
            text = text_of(message, self._ears.client.me) or "(sent a file)"
            try:
                await self._ears.desk.overhear(member, conversation.id, text, str(message.id))
            except ConversationClosedError:
                log.info("staff wrote in a closed conversation", conversation=conversation.id)

    async def _begins_in(self, workspace_id: str, message: discord.Message, thread: discord.Thread) -> bool:
        if is_for(message, self._ears.client.me):
            return True
        if message.author.id != thread.owner_id:
            return False
        # What staff post in a support channel unasked are announcements.
        listens = await self._ears.directory.hears_everything(workspace_id, thread.parent_id)
        return listens and await self._ears.directory.staff(workspace_id, message.author) is None

    async def _in_channel(self, workspace_id: str, message: discord.Message, channel: discord.TextChannel) -> None:
        """A mention, or any message of a support channel, opens a thread."""
        asked = is_for(message, self._ears.client.me)
        if not asked:
            listens = await self._ears.directory.hears_everything(workspace_id, channel.id)
            if not listens or await self._ears.directory.staff(workspace_id, message.author):
                return
        # The thread will have the message's id, so the message is kept before the thread is there.
        incoming = await self._incoming(workspace_id, message, message.id, place=channel.id)
        name = thread_name(incoming.text, message.author.display_name)
        if not incoming.text and not incoming.attachments:
            await self._ears.intake.open(replace(incoming, external_id=""))
            await self._ears.channel.open_thread(channel.id, message.id, name)
            await self._invite(message.id)
            return
        conversation = await self._keep(incoming)
        await self._ears.channel.open_thread(channel.id, message.id, name)
        self._show_working(conversation)

    async def _invite(self, thread_id: int) -> None:
        try:
            await self._ears.channel.say(thread_id, INVITATION, f"invitation/{thread_id}")
        except ChannelError as error:
            log.warning("no invitation", thread=thread_id, reason=error.reason)

    async def _from_thread(self, workspace_id: str, message: discord.Message, thread: discord.Thread) -> Incoming:
        incoming = await self._incoming(workspace_id, message, thread.id, place=thread.parent_id)
        is_post = isinstance(thread.parent, discord.ForumChannel) and message.id == thread.id
        if not is_post:
            return incoming
        return replace(incoming, text=post_text(thread, incoming.text), subject=thread.name)

    async def _incoming(
        self, workspace_id: str, message: discord.Message, thread_id: int, *, place: int | None = None
    ) -> Incoming:
        return Incoming(
            workspace_id=workspace_id,
            channel="discord",
            external_id=str(message.id),
            thread=str(thread_id),
            customer_external_id=str(message.author.id),
            text=text_of(message, self._ears.client.me),
            customer_name=message.author.display_name,
            place=str(place) if place else "",
            attachments=await files_of(message.attachments),
        )

    async def _accept(self, incoming: Incoming) -> None:
        if incoming.text or incoming.attachments:
            self._show_working(await self._keep(incoming))

    async def _keep(self, incoming: Incoming) -> Conversation | None:
        accepted = await self._ears.intake.accept(incoming)
        if accepted.turn_id is None:
            return None
        return await self._ears.store.conversations.reading.read(accepted.workspace_id, accepted.conversation_id)

    def _show_working(self, conversation: Conversation | None) -> None:
        if conversation is not None:
            self._ears.signs.show(self._ears.channel, conversation)

    async def _edit(self, message: discord.Message) -> None:
        workspace_id = await self._keeper(message.guild.id if message.guild else None, message.id)
        known = (
            await self._ears.store.conversations.threads.of_message(workspace_id, "discord", str(message.id))
            if workspace_id
            else None
        )
        if known is None or workspace_id is None:
            # It may be for the desk as it reads now: a mention that was forgotten.
            await self._hear(message)
            return
        channel = await self._resolved(message)
        if isinstance(channel, discord.Thread):
            incoming = await self._from_thread(workspace_id, message, channel)
        else:
            place = int(known.place) if known.place else None
            incoming = await self._incoming(workspace_id, message, int(known.thread), place=place)
        await self._ears.intake.edit(incoming)
        self._show_working(await self._ears.store.conversations.reading.read(workspace_id, known.id))
