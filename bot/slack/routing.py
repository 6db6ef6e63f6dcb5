"""Routing of Slack's messages: by place, thread, mention and person, each is a customer's, the staff's or nobody's."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from bot.slack.directory import SlackDirectory
from bot.slack.ids import SlackThread, message_key, user_key
from bot.slack.installations import SlackTeam
from storage.records import Conversation, ConversationStatus, Member, Mode, Place
from storage.store import Store

HUMAN_SUBTYPES = frozenset({"", "file_share", "thread_broadcast", "me_message"})
"""Subtypes of a message that a person wrote."""


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """One text of a person in Slack."""

    team: str
    channel: str
    user: str
    ts: str
    text: str
    thread_ts: str
    """Empty at the top level."""
    parent_user: str
    """Who began the thread, where Slack says so."""
    is_direct: bool
    files: tuple[dict[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """The message's external id."""
        return message_key(self.team, self.channel, self.ts)

    @property
    def person(self) -> str:
        """The writer's external id."""
        return user_key(self.team, self.user)


@dataclass(frozen=True, slots=True)
class RoutedMessage:
    """Whose message it is to the desk, and which thread it belongs to."""

    role: Literal["customer", "staff"]
    thread: SlackThread
    place: Place | None
    conversation: Conversation | None
    member: Member | None = None


def slack_message_of(event: dict[str, Any], team: str, edited: dict[str, Any] | None = None) -> SlackMessage | None:
    """The text of a message event, or of the message inside an edit; None if no person wrote it."""
    content = edited or event
    if content.get("bot_id") or content.get("subtype", "") not in HUMAN_SUBTYPES or not content.get("user"):
        return None
    channel, ts, thread_ts = event["channel"], content["ts"], content.get("thread_ts") or ""
    return SlackMessage(
        team=team,
        channel=channel,
        user=content["user"],
        ts=ts,
        text=content.get("text") or "",
        thread_ts="" if thread_ts == ts and not channel.startswith("D") else thread_ts,
        parent_user=content.get("parent_user_id") or "",
        is_direct=channel.startswith("D"),
        files=tuple(content.get("files") or ()),
    )


class SlackMessageRouter:
    """Decides by place, thread, mention and person."""

    def __init__(self, store: Store, directory: SlackDirectory, together_seconds: float) -> None:
        self._store = store
        self._directory = directory
        self._together_seconds = together_seconds

    async def route(self, team: SlackTeam, message: SlackMessage) -> RoutedMessage | None:
        """What the text is to the desk; None: it is not meant for it."""
        if message.user == team.bot_user:
            return None
        place = await self._store.channels.places.find(team.workspace_id, "slack", message.channel)
        if place is not None and place.is_staff:
            return None
        conversation = await self._conversation_of(team, message)
        member = await self._directory.member(team, message.user)
        if member is not None and not message.is_direct and not self._is_customer(message, conversation):
            return await self._route_staff(team, message, place, conversation, member)
        if not self._is_addressed(team, message, place, conversation):
            return None
        thread = await self._thread_of(team, message, conversation)
        return RoutedMessage("customer", thread, place, conversation)

    async def _route_staff(
        self,
        team: SlackTeam,
        message: SlackMessage,
        place: Place | None,
        conversation: Conversation | None,
        member: Member,
    ) -> RoutedMessage | None:
        """In a customer's thread a member takes over; elsewhere a mention asks the bot as anybody may."""
        if conversation is not None and conversation.status is not ConversationStatus.CLOSED:
            return RoutedMessage("staff", SlackThread.parse(conversation.thread), place, conversation, member)
        if not mentions_bot(team, message.text):
            return None
        return RoutedMessage("customer", await self._thread_of(team, message, conversation), place, conversation)

    def _is_addressed(
        self, team: SlackTeam, message: SlackMessage, place: Place | None, conversation: Conversation | None
    ) -> bool:
        if message.is_direct or mentions_bot(team, message.text) or self._is_customer(message, conversation):
            return True
        if place is None or place.mode in (None, Mode.OFF) or conversation is not None:
            return False
        # A reply may overtake the message that began its thread; people's own threads are theirs.
        return not message.thread_ts or message.parent_user == message.user

    def _is_customer(self, message: SlackMessage, conversation: Conversation | None) -> bool:
        return conversation is not None and conversation.customer.external_id == message.person

    async def _conversation_of(self, team: SlackTeam, message: SlackMessage) -> Conversation | None:
        """The conversation of the thread, whether it began with the thread's first message or with a later one."""
        if not message.thread_ts:
            return None
        thread = SlackThread(team.id, message.channel, message.thread_ts)
        threads = self._store.conversations.threads
        return await threads.find(team.workspace_id, "slack", str(thread)) or await threads.of_message(
            team.workspace_id, "slack", message_key(team.id, message.channel, message.thread_ts)
        )

    async def _thread_of(
        self, team: SlackTeam, message: SlackMessage, conversation: Conversation | None
    ) -> SlackThread:
        if conversation is not None:
            return SlackThread.parse(conversation.thread)
        if message.thread_ts or message.is_direct:
            return SlackThread(team.id, message.channel, message.thread_ts)
        return await self._recent_thread(team, message) or SlackThread(team.id, message.channel, message.ts)

    async def _recent_thread(self, team: SlackTeam, message: SlackMessage) -> SlackThread | None:
        """The thread that the same person's message of a moment ago began."""
        recent = await self._store.conversations.threads.of_customer(
            team.workspace_id, "slack", message.person, message.channel
        )
        for conversation in recent:
            thread = SlackThread.parse(conversation.thread)
            live = conversation.status in (ConversationStatus.OPEN, ConversationStatus.PENDING)
            if live and thread.ts and 0 <= float(message.ts) - float(thread.ts) <= self._together_seconds:
                return thread
        return None


def mentions_bot(team: SlackTeam, text: str) -> bool:
    """Whether the text calls the bot."""
    return f"<@{team.bot_user}>" in text or f"<@{team.bot_user}|" in text


def plain_text(team: SlackTeam, text: str) -> str:
    """The customer's words without the bot's name and Slack's markup of links and mentions_bot."""
    text = re.sub(rf"<@{re.escape(team.bot_user)}(?:\|[^<>]*)?>[,:]?", "", text)
    text = re.sub(r"<(?:[@#!][^|<>]*\|)([^<>]+)>", r"\1", text)
    text = re.sub(r"<((?:https?|mailto)[^|<>]*)\|([^<>]*)>", _link_text, text)
    text = re.sub(r"<((?:https?|mailto)[^<>]*)>", r"\1", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _link_text(match: re.Match[str]) -> str:
    address, label = match[1].removeprefix("mailto:"), match[2]
    return label if label in address or address.endswith(label) else f"{label} ({address})"
