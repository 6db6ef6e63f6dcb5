"""Slack's message events on their way to intake: kept before they are acknowledged, the rest in the background."""

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

import structlog
from slack_sdk.errors import SlackApiError

from bot.background_tasks import BackgroundTasks
from bot.intake import Intake
from bot.slack.channel import SlackChannel
from bot.slack.directory import SlackDirectory
from bot.slack.errors import SLACK_UNREACHABLE
from bot.slack.files import SlackFiles
from bot.slack.ids import message_key
from bot.slack.installations import SlackTeam
from bot.slack.routing import (
    RoutedMessage,
    SlackMessage,
    SlackMessageRouter,
    plain_text,
    slack_message_of,
)
from bot.slack.surfaces.assistant import SlackAssistant
from bot.typing_indicator import TypingIndicators
from graph.desk import Desk
from storage.records import Incoming, Mode
from storage.store import Store

log = structlog.get_logger(__name__)
EMPTY_MESSAGE_HINT = "Hello! What can I help you with? Write your question here."


class SlackEvents:
    """Takes message events to intake, corrections and take-overs."""

    def __init__(
        self,
        *,
        store: Store,
        intake: Intake,
        desk: Desk,
        directory: SlackDirectory,
        files: SlackFiles,
        router: SlackMessageRouter,
        channel: SlackChannel,
        assistant: SlackAssistant,
        typing: TypingIndicators,
        background: BackgroundTasks,
    ) -> None:
        self._store = store
        self._intake = intake
        self._desk = desk
        self._directory = directory
        self._files = files
        self._router = router
        self._channel = channel
        self._assistant = assistant
        self._typing = typing
        self._background = background
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def message(self, team: SlackTeam, event: dict[str, Any]) -> None:
        """A message event or a mention; whatever comes twice is kept once."""
        match event.get("subtype", ""):
            case "message_changed":
                await self._edited(team, event)
            case "message_deleted":
                await self._deleted(team, event["channel"], event["deleted_ts"], event.get("previous_message") or {})
            case _:
                if message := slack_message_of(event, team.id):
                    # Two first messages of one person must not begin two conversations.
                    async with self._locks.setdefault(f"{message.channel}/{message.user}", asyncio.Lock()):
                        await self._posted(team, message)

    async def _posted(self, team: SlackTeam, message: SlackMessage) -> None:
        routed = await self._router.route(team, message)
        if routed is None:
            return
        if routed.role == "staff" and routed.member is not None and routed.conversation is not None:
            await self._desk.record_thread_reply(
                routed.member, routed.conversation.id, plain_text(team, message.text), message.key
            )
            return
        incoming = await self._incoming(team, message, routed)
        if not incoming.text and not incoming.attachments:
            self._background.spawn(self._reply_ephemeral(team, message, EMPTY_MESSAGE_HINT), "greet")
            return
        accepted = await self._intake.accept(incoming)
        if routed.conversation is None and message.is_direct and message.thread_ts and not accepted.repeated:
            self._background.spawn(self._assistant.set_title(team, message), "title an assistant thread")
        if accepted.turn_id is not None:
            self._background.spawn(self._show_typing(team, routed, accepted.conversation_id, message.ts), "show typing")

    async def _edited(self, team: SlackTeam, event: dict[str, Any]) -> None:
        content, before = event.get("message") or {}, event.get("previous_message") or {}
        if content.get("subtype") == "tombstone":
            # So Slack tells that the first message of a thread with replies was deleted.
            await self._deleted(team, event["channel"], content["ts"], before)
            return
        message = slack_message_of(event, team.id, content)
        # Slack also tells when it has unfurled a link.
        if message is None or content.get("text") == before.get("text"):
            return
        known = await self._store.conversations.threads.of_message(team.workspace_id, "slack", message.key)
        routed = await self._router.route(team, message)
        if routed is None and known is None:
            return
        incoming = await self._incoming(team, message, routed)
        corrected = await self._intake.edit(incoming)
        if corrected is not None and corrected.turn_id is not None and routed is not None:
            await self._show_typing(team, routed, corrected.conversation_id, message.ts)

    async def _deleted(self, team: SlackTeam, channel: str, ts: str, before: Mapping[str, Any]) -> None:
        key = message_key(team.id, channel, ts)
        known = await self._store.conversations.threads.of_message(team.workspace_id, "slack", key)
        message = slack_message_of({"channel": channel}, team.id, {**before, "ts": ts}) if before else None
        if known is None and (message is None or await self._router.route(team, message) is None):
            return
        await self._intake.delete(team.workspace_id, "slack", key)

    async def _incoming(self, team: SlackTeam, message: SlackMessage, routed: RoutedMessage | None) -> Incoming:
        name, attachments = await asyncio.gather(
            self._directory.name(team, message.user), self._files.attachments(team, message.files)
        )
        return Incoming(
            workspace_id=team.workspace_id,
            channel="slack",
            external_id=message.key,
            thread=str(routed.thread) if routed else "",
            customer_external_id=message.person,
            text=plain_text(team, message.text),
            customer_name=name,
            place=message.channel,
            attachments=attachments,
        )

    async def _show_typing(self, team: SlackTeam, routed: RoutedMessage, conversation_id: str, ts: str) -> None:
        workspace = await self._store.accounts.workspaces.read(team.workspace_id)
        mode = workspace.settings.mode_of("slack", routed.place.mode if routed.place else None)
        if mode in (Mode.SHADOW, Mode.OFF):
            return
        conversation = await self._store.conversations.reading.read(team.workspace_id, conversation_id)
        self._channel.mark_message(conversation_id, ts)
        self._typing.show(self._channel, conversation)

    async def _reply_ephemeral(self, team: SlackTeam, message: SlackMessage, text: str) -> None:
        try:
            await team.client.chat_postEphemeral(
                channel=message.channel, user=message.user, text=text, thread_ts=message.thread_ts or None
            )
        except (SlackApiError, *SLACK_UNREACHABLE):
            log.info("greeting not shown", channel=message.channel)
