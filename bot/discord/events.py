"""Discord's message events on their way to intake: those of one thread in order, the same ones again change nothing."""

from contextlib import suppress
from dataclasses import replace
from typing import assert_never

import discord
import structlog

from bot.discord.channel import DiscordChannel
from bot.discord.connection.client import DeskClient
from bot.discord.deps import DiscordDeps
from bot.discord.direct_messages import TEAM_GONE, DirectMessageRouter
from bot.discord.directory import Directory
from bot.discord.ephemeral import reply_ephemeral
from bot.discord.forum_posts import post_text
from bot.discord.interactions import ButtonInteraction
from bot.discord.read_cursors import DiscordReadCursors
from bot.discord.routing import (
    CustomerMessage,
    DiscordMessageRouter,
    StaffMessage,
    TeamUnknown,
    message_in_thread,
)
from bot.discord.texts import files_of, is_from_human, text_of, thread_name
from bot.errors import ChannelError
from bot.keyed_lock import KeyedLock
from storage.errors import ConversationClosedError, UnboundTeamError
from storage.records import Conversation, Incoming

log = structlog.get_logger(__name__)

INVITATION = "How can we help? Write your question here."


class DiscordEvents:
    """Takes messages, edits, deletions and the choice of a team."""

    def __init__(
        self,
        deps: DiscordDeps,
        client: DeskClient,
        channel: DiscordChannel,
        *,
        directory: Directory,
        router: DiscordMessageRouter,
        direct_messages: DirectMessageRouter,
        cursors: DiscordReadCursors,
    ) -> None:
        self._intake = deps.intake
        self._desk = deps.desk
        self._threads = deps.store.conversations.threads
        self._conversations = deps.store.conversations.reading
        self._statuses = deps.statuses
        self._typing = deps.typing
        self._client = client
        self._channel = channel
        self._directory = directory
        self._router = router
        self._direct_messages = direct_messages
        self._cursors = cursors
        self._lock = KeyedLock()

    async def message(self, message: discord.Message) -> None:
        """Somebody wrote: keep it if it is for the desk."""
        if not is_from_human(message):
            return
        self._statuses.event("discord")
        async with self._lock.hold(message.channel.id):
            try:
                await self._handle(message)
            except UnboundTeamError:
                # Who added the bot was told so; customers of nobody are not answered by anybody.
                return
            except Exception:
                if message.guild is not None:
                    self._cursors.hold_back(message.guild.id)
                raise

    async def edited(self, event: discord.RawMessageUpdateEvent) -> None:
        """Somebody changed a message; what has not been answered is answered as it reads now."""
        message = event.message
        if message.edited_at is None or not is_from_human(message):
            return
        self._statuses.event("discord")
        async with self._lock.hold(event.channel_id):
            with suppress(UnboundTeamError):
                await self._edit(message)

    async def deleted(self, guild_id: int | None, channel_id: int, message_id: int) -> None:
        """A message is gone: it is not answered any more."""
        async with self._lock.hold(channel_id):
            if known := await self._conversation_keeping(guild_id, message_id):
                await self._intake.delete(known.workspace_id, "discord", str(message_id))

    async def team_chosen(self, interaction: ButtonInteraction, message_id: int, workspace_id: str) -> None:
        """Somebody said which team their direct messages are for: what they wrote meanwhile goes there."""
        self._statuses.event("discord")
        await interaction.response.defer()
        teams = await self._direct_messages.shared_teams(interaction.user.id)
        if workspace_id not in teams:
            await reply_ephemeral(interaction, TEAM_GONE)
            return
        channel_id = interaction.channel_id or 0
        async with self._lock.hold(channel_id):
            known = await self._direct_messages.current_conversation(channel_id)
            routed = CustomerMessage(known.workspace_id if known else workspace_id, channel_id)
            for message in await self._direct_messages.messages_since(interaction, message_id):
                await self._accept(await self._incoming(routed, message))
            if await self._direct_messages.current_conversation(channel_id) is None:
                # What they wrote is gone; the choice is kept.
                await self._open_direct(routed, interaction.user)
        name = discord.utils.escape_markdown(teams.get(routed.workspace_id, "another team"))
        await interaction.edit_original_response(content=f"This conversation is with **{name}**.", view=None)

    async def _handle(self, message: discord.Message) -> None:
        if message.guild is None:
            await self._act_on(await self._router.route_direct(message), message)
            return
        workspace_id = await self._directory.workspace_of(message.guild.id)
        await self._act_on(await self._router.route(workspace_id, message), message)
        await self._cursors.advance(workspace_id, message.guild.id, message.created_at)

    async def _act_on(
        self, routed: CustomerMessage | StaffMessage | TeamUnknown | None, message: discord.Message
    ) -> None:
        match routed:
            case CustomerMessage(opens_thread=True):
                await self._open_thread(routed, message)
            case CustomerMessage():
                await self._accept(await self._incoming(routed, message))
            case StaffMessage():
                await self._overhear(routed, message)
            case TeamUnknown():
                await self._direct_messages.ask_team(message)
            case None:
                return
            case _:
                assert_never(routed)

    async def _edit(self, message: discord.Message) -> None:
        known = await self._conversation_keeping(message.guild.id if message.guild else None, message.id)
        if known is None:
            # It may be for the desk as it reads now: a mention that was forgotten.
            await self._handle(message)
            return
        channel = await self._router.channel_of(message)
        if isinstance(channel, discord.Thread):
            routed = message_in_thread(known.workspace_id, message, channel)
        else:
            place_id = int(known.place) if known.place else None
            routed = CustomerMessage(known.workspace_id, int(known.thread), place_id)
        await self._intake.edit(await self._incoming(routed, message))
        self._show_typing(await self._conversations.read(known.workspace_id, known.id))

    async def _conversation_keeping(self, guild_id: int | None, message_id: int) -> Conversation | None:
        """The conversation in which this message is kept."""
        for workspace_id in await self._direct_messages.workspaces_of(guild_id):
            if known := await self._threads.of_message(workspace_id, "discord", str(message_id)):
                return known
        return None

    async def _open_thread(self, routed: CustomerMessage, message: discord.Message) -> None:
        """The thread will have the message's id, so the message is kept before the thread is there."""
        incoming, place_id = await self._incoming(routed, message), routed.place_id or 0
        name = thread_name(incoming.text, message.author.display_name)
        if not incoming.text and not incoming.attachments:
            await self._intake.open(replace(incoming, external_id=""))
            await self._channel.open_thread(place_id, message.id, name)
            await self._invite(message.id)
            return
        conversation = await self._keep(incoming)
        await self._channel.open_thread(place_id, message.id, name)
        self._show_typing(conversation)

    async def _invite(self, thread_id: int) -> None:
        try:
            await self._channel.post_notice(thread_id, INVITATION, f"invitation/{thread_id}")
        except ChannelError as error:
            log.warning("invitation not posted", thread=thread_id, reason=error.reason)

    async def _open_direct(self, routed: CustomerMessage, user: discord.User | discord.Member) -> None:
        thread, person = str(routed.thread_id), str(user.id)
        await self._intake.open(
            Incoming(routed.workspace_id, "discord", "", thread, person, "", customer_name=user.display_name)
        )

    async def _overhear(self, routed: StaffMessage, message: discord.Message) -> None:
        text = text_of(message, self._client.me) or "(sent a file)"
        try:
            await self._desk.record_thread_reply(routed.member, routed.conversation.id, text, str(message.id))
        except ConversationClosedError:
            log.info("staff wrote in a closed conversation", conversation=routed.conversation.id)

    async def _incoming(self, routed: CustomerMessage, message: discord.Message) -> Incoming:
        text, post = text_of(message, self._client.me), routed.forum_post
        return Incoming(
            workspace_id=routed.workspace_id,
            channel="discord",
            external_id=str(message.id),
            thread=str(routed.thread_id),
            customer_external_id=str(message.author.id),
            text=post_text(post, text) if post else text,
            customer_name=message.author.display_name,
            place=str(routed.place_id) if routed.place_id else "",
            attachments=await files_of(message.attachments),
            subject=post.name if post else "",
        )

    async def _accept(self, incoming: Incoming) -> None:
        if incoming.text or incoming.attachments:
            self._show_typing(await self._keep(incoming))

    async def _keep(self, incoming: Incoming) -> Conversation | None:
        accepted = await self._intake.accept(incoming)
        if accepted.turn_id is None:
            return None
        return await self._conversations.read(accepted.workspace_id, accepted.conversation_id)

    def _show_typing(self, conversation: Conversation | None) -> None:
        if conversation is not None:
            self._typing.show(self._channel, conversation)
