"""Routing of Discord's messages: by place, thread, mention and person each is a customer's, the staff's or nobody's."""

from dataclasses import dataclass

import discord

from bot.discord.connection.client import DeskClient
from bot.discord.direct_messages import DirectMessageRouter
from bot.discord.directory import Directory
from bot.discord.texts import is_addressed_to, text_of
from storage.conversations.threads import Threads
from storage.records import Conversation, Member


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """A text that the desk answers."""

    workspace_id: str
    thread_id: int
    """Also a direct messages' channel. A message in a text channel opens a thread, which gets the message's id."""
    place_id: int | None = None
    """The text or forum channel; None in direct messages."""
    opens_thread: bool = False
    forum_post: discord.Thread | None = None
    """Set for a post's first message: its title and tags belong to the question."""


@dataclass(frozen=True, slots=True)
class StaffMessage:
    """A member writes to the customer: the bot falls silent."""

    member: Member
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class TeamUnknown:
    """A direct message of somebody who has to say first which of several teams it is for."""


class DiscordMessageRouter:
    """Decides; keeps, sends and opens nothing. None: the message is not for the desk."""

    def __init__(
        self, client: DeskClient, threads: Threads, directory: Directory, direct_messages: DirectMessageRouter
    ) -> None:
        self._client = client
        self._threads = threads
        self._directory = directory
        self._direct_messages = direct_messages

    async def route(self, workspace_id: str, message: discord.Message) -> CustomerMessage | StaffMessage | None:
        """Whose message in a server of this workspace it is, and where it belongs."""
        match await self.channel_of(message):
            case discord.Thread() as thread:
                return await self._route_in_thread(workspace_id, message, thread)
            case discord.TextChannel() as channel:
                return await self._route_in_channel(workspace_id, message, channel)
            case _:
                return None

    async def route_direct(self, message: discord.Message) -> CustomerMessage | TeamUnknown | None:
        """A mail to the team; to which one, they are asked if it may be several."""
        if not text_of(message, self._client.me) and not message.attachments:
            return None
        workspace_id = await self._direct_messages.workspace_of(message.author.id, message.channel.id)
        return TeamUnknown() if workspace_id is None else CustomerMessage(workspace_id, message.channel.id)

    async def channel_of(self, message: discord.Message) -> object:
        """The message's channel; asked for when the gateway has not told of it, as for a thread that woke up."""
        if not isinstance(message.channel, discord.PartialMessageable) or message.guild is None:
            return message.channel
        return await self._client.fetch_channel(message.channel.id)

    async def _route_in_thread(
        self, workspace_id: str, message: discord.Message, thread: discord.Thread
    ) -> CustomerMessage | StaffMessage | None:
        """In a thread that the desk serves its customer and the staff are routed, nobody else."""
        conversation = await self._threads.find(workspace_id, "discord", str(thread.id))
        if conversation is None:
            begins = await self._begins_conversation(workspace_id, message, thread)
            return message_in_thread(workspace_id, message, thread) if begins else None
        if conversation.customer.external_id == str(message.author.id):
            return message_in_thread(workspace_id, message, thread)
        member = await self._directory.staff_member(workspace_id, message.author)
        return StaffMessage(member, conversation) if member else None

    async def _begins_conversation(self, workspace_id: str, message: discord.Message, thread: discord.Thread) -> bool:
        """A mention in anybody's thread, or what a customer writes in their own one of a support channel."""
        if is_addressed_to(message, self._client.me):
            return True
        if message.author.id != thread.owner_id:
            return False
        return await self._is_support_question(workspace_id, message, thread.parent_id)

    async def _route_in_channel(
        self, workspace_id: str, message: discord.Message, channel: discord.TextChannel
    ) -> CustomerMessage | None:
        """A mention, or any message of a support channel, opens a thread."""
        if is_addressed_to(message, self._client.me) or await self._is_support_question(
            workspace_id, message, channel.id
        ):
            return CustomerMessage(workspace_id, message.id, channel.id, opens_thread=True)
        return None

    async def _is_support_question(self, workspace_id: str, message: discord.Message, channel_id: int) -> bool:
        """What staff post in a support channel unasked are announcements."""
        if not await self._directory.is_support_channel(workspace_id, channel_id):
            return False
        return await self._directory.staff_member(workspace_id, message.author) is None


def message_in_thread(workspace_id: str, message: discord.Message, thread: discord.Thread) -> CustomerMessage:
    """A customer's message in a thread, which may be the first of a forum post."""
    is_post = isinstance(thread.parent, discord.ForumChannel) and message.id == thread.id
    return CustomerMessage(workspace_id, thread.id, thread.parent_id, forum_post=thread if is_post else None)
