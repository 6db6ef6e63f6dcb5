"""Slack's events: kept first, acknowledged then; the rest is done beside."""

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

import structlog
from slack_sdk.errors import SlackApiError

from bot.attachments import decoded, is_readable
from bot.background_tasks import BackgroundTasks
from bot.intake import Intake
from bot.slack.assistant import SlackAssistant
from bot.slack.channel import SlackChannel
from bot.slack.errors import UNREACHABLE
from bot.slack.ids import message_key
from bot.slack.installations import SlackTeam, SlackTeams
from bot.slack.routing import (
    RoutedMessage,
    SlackMessage,
    SlackMessageRouter,
    plain,
    said_of,
)
from bot.typing_indicator import TypingIndicators
from graph.desk import Desk
from storage.records import Attachment, Incoming, Mode
from storage.store import Store

log = structlog.get_logger(__name__)
DOWNLOAD_SECONDS = 1.5
"""All files of a message together: Slack waits three seconds for the acknowledgement."""
HELP = "Hello! What can I help you with? Write your question here."


class SlackEvents:
    """Takes message events to intake, corrections and take-overs."""

    def __init__(
        self,
        *,
        store: Store,
        intake: Intake,
        desk: Desk,
        teams: SlackTeams,
        hearing: SlackMessageRouter,
        channel: SlackChannel,
        assistant: SlackAssistant,
        signs: TypingIndicators,
        errands: BackgroundTasks,
    ) -> None:
        self._store = store
        self._intake = intake
        self._desk = desk
        self._teams = teams
        self._hearing = hearing
        self._channel = channel
        self._assistant = assistant
        self._signs = signs
        self._errands = errands
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def message(self, team: SlackTeam, event: dict[str, Any]) -> None:
        """A message event or a mention; whatever comes twice is kept once."""
        match event.get("subtype", ""):
            case "message_changed":
                await self._changed(team, event)
            case "message_deleted":
                await self._deleted(team, event["channel"], event["deleted_ts"], event.get("previous_message") or {})
            case _:
                if said := said_of(event, team.id):
                    # Two first messages of one person must not begin two conversations.
                    async with self._turns.setdefault(f"{said.channel}/{said.user}", asyncio.Lock()):
                        await self._said(team, said)

    async def _said(self, team: SlackTeam, said: SlackMessage) -> None:
        heard = await self._hearing.hear(team, said)
        if heard is None:
            return
        if heard.role == "staff" and heard.member is not None and heard.conversation is not None:
            await self._desk.overhear(heard.member, heard.conversation.id, plain(team, said.text), said.key)
            return
        incoming = await self._incoming(team, said, heard)
        if not incoming.text and not incoming.attachments:
            self._errands.send(self._whisper(team, said, HELP), "greet")
            return
        accepted = await self._intake.accept(incoming)
        if heard.conversation is None and said.is_direct and said.thread_ts and not accepted.repeated:
            self._errands.send(self._assistant.name(team, said), "name an assistant thread")
        if accepted.turn_id is not None:
            self._errands.send(self._show_work(team, heard, accepted.conversation_id, said.ts), "show the working sign")

    async def _changed(self, team: SlackTeam, event: dict[str, Any]) -> None:
        message, before = event.get("message") or {}, event.get("previous_message") or {}
        if message.get("subtype") == "tombstone":
            # So Slack tells that the first message of a thread with replies was deleted.
            await self._deleted(team, event["channel"], message["ts"], before)
            return
        said = said_of(event, team.id, message)
        # Slack also tells when it has unfurled a link.
        if said is None or message.get("text") == before.get("text"):
            return
        known = await self._store.conversations.threads.of_message(team.workspace_id, "slack", said.key)
        heard = await self._hearing.hear(team, said)
        if heard is None and known is None:
            return
        incoming = await self._incoming(team, said, heard)
        corrected = await self._intake.edit(incoming)
        if corrected is not None and corrected.turn_id is not None and heard is not None:
            await self._show_work(team, heard, corrected.conversation_id, said.ts)

    async def _deleted(self, team: SlackTeam, channel: str, ts: str, before: Mapping[str, Any]) -> None:
        key = message_key(team.id, channel, ts)
        known = await self._store.conversations.threads.of_message(team.workspace_id, "slack", key)
        said = said_of({"channel": channel}, team.id, {**before, "ts": ts}) if before else None
        if known is None and (said is None or await self._hearing.hear(team, said) is None):
            return
        await self._intake.delete(team.workspace_id, "slack", key)

    async def _incoming(self, team: SlackTeam, said: SlackMessage, heard: RoutedMessage | None) -> Incoming:
        name, attachments = await asyncio.gather(self._teams.name(team, said.user), self._files(team, said))
        return Incoming(
            workspace_id=team.workspace_id,
            channel="slack",
            external_id=said.key,
            thread=str(heard.thread) if heard else "",
            customer_external_id=said.person,
            text=plain(team, said.text),
            customer_name=name,
            place=said.channel,
            attachments=attachments,
        )

    async def _files(self, team: SlackTeam, said: SlackMessage) -> tuple[Attachment, ...]:
        if not said.files:
            return ()
        found = [_attachment(file) for file in said.files]
        try:
            async with asyncio.timeout(DOWNLOAD_SECONDS):
                pairs = zip(said.files, found, strict=True)
                return tuple([await self._read(team, file, attachment) for file, attachment in pairs])
        except TimeoutError:
            return tuple(found)

    async def _read(self, team: SlackTeam, file: dict[str, Any], attachment: Attachment) -> Attachment:
        url = file.get("url_private_download") or file.get("url_private") or ""
        if not url or not is_readable(attachment.name, attachment.media_type, attachment.size):
            return attachment
        try:
            content = await self._teams.download(team, url)
        except UNREACHABLE:
            return attachment
        text = decoded(content)
        return Attachment(attachment.name, attachment.url, attachment.media_type, attachment.size, text)

    async def _show_work(self, team: SlackTeam, heard: RoutedMessage, conversation_id: str, ts: str) -> None:
        workspace = await self._store.accounts.workspaces.read(team.workspace_id)
        mode = workspace.settings.mode_of("slack", heard.place.mode if heard.place else None)
        if mode in (Mode.SHADOW, Mode.OFF):
            return
        conversation = await self._store.conversations.reading.read(team.workspace_id, conversation_id)
        self._channel.sign_at(conversation_id, ts)
        self._signs.show(self._channel, conversation)

    async def _whisper(self, team: SlackTeam, said: SlackMessage, text: str) -> None:
        try:
            await team.client.chat_postEphemeral(
                channel=said.channel, user=said.user, text=text, thread_ts=said.thread_ts or None
            )
        except (SlackApiError, *UNREACHABLE):
            log.info("slack did not show a hint", channel=said.channel)


def _attachment(file: dict[str, Any]) -> Attachment:
    return Attachment(
        name=file.get("name") or "file",
        url=file.get("permalink") or file.get("url_private") or "",
        media_type=file.get("mimetype") or "",
        size=int(file.get("size") or 0),
    )
