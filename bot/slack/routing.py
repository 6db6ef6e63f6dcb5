"""What is meant for the desk: Slack's events as texts, and whether and as what each is heard."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from bot.slack.ids import SlackThread, message_key, user_key
from bot.slack.installations import SlackTeam, SlackTeams
from storage.records import Conversation, ConversationStatus, Member, Mode, Place
from storage.store import Store

SPOKEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})
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
    """What a text is to the desk."""

    role: Literal["customer", "staff"]
    thread: SlackThread
    place: Place | None
    conversation: Conversation | None
    member: Member | None = None


def said_of(event: dict[str, Any], team: str, edited: dict[str, Any] | None = None) -> SlackMessage | None:
    """The text of a message event, or of the message inside an edit; None if no person wrote it."""
    message = edited or event
    if message.get("bot_id") or message.get("subtype", "") not in SPOKEN or not message.get("user"):
        return None
    channel, ts, thread_ts = event["channel"], message["ts"], message.get("thread_ts") or ""
    return SlackMessage(
        team=team,
        channel=channel,
        user=message["user"],
        ts=ts,
        text=message.get("text") or "",
        thread_ts="" if thread_ts == ts and not channel.startswith("D") else thread_ts,
        parent_user=message.get("parent_user_id") or "",
        is_direct=channel.startswith("D"),
        files=tuple(message.get("files") or ()),
    )


class SlackMessageRouter:
    """Decides by place, thread, mention and person."""

    def __init__(self, store: Store, teams: SlackTeams, together_seconds: float) -> None:
        self._store = store
        self._teams = teams
        self._together = together_seconds

    async def hear(self, team: SlackTeam, said: SlackMessage) -> RoutedMessage | None:
        """What the text is to the desk; None: it is not meant for it."""
        if said.user == team.bot_user:
            return None
        place = await self._store.channels.places.find(team.workspace_id, "slack", said.channel)
        if place is not None and place.is_staff:
            return None
        conversation = await self._served(team, said)
        member = await self._teams.member(team, said.user)
        if member is not None and not said.is_direct and not self._is_own(said, conversation):
            return await self._staff(team, said, place, conversation, member)
        if not self._is_for_us(team, said, place, conversation):
            return None
        thread = await self._thread(team, said, conversation)
        return RoutedMessage("customer", thread, place, conversation)

    async def _staff(
        self,
        team: SlackTeam,
        said: SlackMessage,
        place: Place | None,
        conversation: Conversation | None,
        member: Member,
    ) -> RoutedMessage | None:
        """In a customer's thread a member takes over; elsewhere a mention asks the bot as anybody may."""
        if conversation is not None and conversation.status is not ConversationStatus.CLOSED:
            return RoutedMessage("staff", SlackThread.parse(conversation.thread), place, conversation, member)
        if not mentions(team, said.text):
            return None
        return RoutedMessage("customer", await self._thread(team, said, conversation), place, conversation)

    def _is_for_us(
        self, team: SlackTeam, said: SlackMessage, place: Place | None, conversation: Conversation | None
    ) -> bool:
        if said.is_direct or mentions(team, said.text) or self._is_own(said, conversation):
            return True
        if place is None or place.mode in (None, Mode.OFF) or conversation is not None:
            return False
        # A reply may overtake the message that began its thread; people's own threads are theirs.
        return not said.thread_ts or said.parent_user == said.user

    def _is_own(self, said: SlackMessage, conversation: Conversation | None) -> bool:
        return conversation is not None and conversation.customer.external_id == said.person

    async def _served(self, team: SlackTeam, said: SlackMessage) -> Conversation | None:
        """The conversation of the thread, whether it began with the thread's first message or with a later one."""
        if not said.thread_ts:
            return None
        thread = SlackThread(team.id, said.channel, said.thread_ts)
        threads = self._store.conversations.threads
        return await threads.find(team.workspace_id, "slack", str(thread)) or await threads.of_message(
            team.workspace_id, "slack", message_key(team.id, said.channel, said.thread_ts)
        )

    async def _thread(self, team: SlackTeam, said: SlackMessage, conversation: Conversation | None) -> SlackThread:
        if conversation is not None:
            return SlackThread.parse(conversation.thread)
        if said.thread_ts or said.is_direct:
            return SlackThread(team.id, said.channel, said.thread_ts)
        return await self._recent(team, said) or SlackThread(team.id, said.channel, said.ts)

    async def _recent(self, team: SlackTeam, said: SlackMessage) -> SlackThread | None:
        """The thread that the same person's message of a moment ago began."""
        recent = await self._store.conversations.threads.of_customer(
            team.workspace_id, "slack", said.person, said.channel
        )
        for conversation in recent:
            thread = SlackThread.parse(conversation.thread)
            live = conversation.status in (ConversationStatus.OPEN, ConversationStatus.PENDING)
            if live and thread.ts and 0 <= float(said.ts) - float(thread.ts) <= self._together:
                return thread
        return None


def mentions(team: SlackTeam, text: str) -> bool:
    """Whether the text calls the bot."""
    return f"<@{team.bot_user}>" in text or f"<@{team.bot_user}|" in text


def plain(team: SlackTeam, text: str) -> str:
    """The customer's words without the bot's name and Slack's markup of links and mentions."""
    text = re.sub(rf"<@{re.escape(team.bot_user)}(?:\|[^>]*)?>[,:]?", "", text)
    text = re.sub(r"<(?:[@#!][^|>]*\|)([^>]+)>", r"\1", text)
    text = re.sub(r"<((?:https?|mailto)[^|>]*)\|([^>]*)>", _link, text)
    text = re.sub(r"<((?:https?|mailto)[^>]*)>", r"\1", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _link(match: re.Match[str]) -> str:
    address, label = match[1].removeprefix("mailto:"), match[2]
    return label if label in address or address.endswith(label) else f"{label} ({address})"
