"""Delivery to Slack: in the thread, exactly once by message metadata, at Slack's rate."""

from slack_sdk.errors import SlackApiError

from bot.channel_status import ChannelStatusRegistry
from bot.errors import ChannelError, UncertainError
from bot.rate_limit import KeyedThrottle
from bot.slack.blocks import fallback
from bot.slack.errors import SLACK_UNREACHABLE, translate_errors
from bot.slack.ids import SlackThread
from bot.slack.installations import SlackTeam, SlackTeams
from bot.slack.message_lookup import find_post
from bot.slack.replies.rendering import reply_blocks
from storage.conversations.outbox import Outgoing
from storage.records import ChannelName, Conversation

REPLY_EVENT_TYPE = "deskhand_reply"
REACTION = "eyes"
ASSISTANT_STATUS = "is looking into it…"
MAX_TRACKED_DELIVERIES = 10_000


class SlackChannel:
    """The channel as the deliver job sees it."""

    def __init__(self, teams: SlackTeams, throttle: KeyedThrottle, statuses: ChannelStatusRegistry) -> None:
        self._teams = teams
        self._throttle = throttle
        self._statuses = statuses
        self._unsent: dict[str, int] = {}
        self._marked: dict[str, str] = {}

    @property
    def name(self) -> ChannelName:
        """The channel's name in the rows."""
        return "slack"

    @property
    def idempotent(self) -> bool:
        """Slack posts a repeated request again: a later try looks the reply up first."""
        return False

    async def send(self, outgoing: Outgoing) -> str | None:
        """Post the reply unless an earlier try has; gives the message's `ts`."""
        thread = SlackThread.parse(outgoing.thread)
        team = await self._teams.require(thread.team)
        try:
            if self._may_be_posted(outgoing) and (ts := await self._find(team, thread, outgoing)):
                return ts
            ts = await self._post(team, thread, outgoing)
        except ChannelError as error:
            self._record_failure(outgoing, thread, error)
            raise
        self._unsent.pop(outgoing.delivery_id, None)
        return ts

    async def show_typing(self, conversation: Conversation, *, on: bool) -> None:
        """Eyes on the customer's message; in an assistant thread Slack's own status line."""
        thread = SlackThread.parse(conversation.thread)
        team = await self._teams.find(thread.team)
        ts = self._marked.get(conversation.id, thread.ts)
        if team is None or not ts:
            return
        try:
            if thread.channel.startswith("D") and thread.ts:
                await self._set_status(team, thread, on=on)
            elif on:
                await team.client.reactions_add(channel=thread.channel, timestamp=ts, name=REACTION)
            else:
                await team.client.reactions_remove(channel=thread.channel, timestamp=ts, name=REACTION)
        except (SlackApiError, *SLACK_UNREACHABLE):
            # Such as already_reacted, or a message that is gone: the reaction is best effort.
            return
        finally:
            if not on:
                self._marked.pop(conversation.id, None)

    def mark_message(self, conversation_id: str, ts: str) -> None:
        """Where the reaction goes: on the first message of the turn."""
        if len(self._marked) >= MAX_TRACKED_DELIVERIES:
            self._marked.clear()
        self._marked.setdefault(conversation_id, ts)

    async def _set_status(self, team: SlackTeam, thread: SlackThread, *, on: bool) -> None:
        await team.client.assistant_threads_setStatus(
            channel_id=thread.channel, thread_ts=thread.ts, status=ASSISTANT_STATUS if on else ""
        )

    async def _post(self, team: SlackTeam, thread: SlackThread, outgoing: Outgoing) -> str:
        await self._throttle.wait(thread.channel)
        with translate_errors():
            answer = await team.client.chat_postMessage(
                channel=thread.channel,
                thread_ts=thread.ts or None,
                text=fallback(outgoing.message.text),
                blocks=reply_blocks(outgoing.message),
                metadata={"event_type": REPLY_EVENT_TYPE, "event_payload": {"delivery_id": outgoing.delivery_id}},
                unfurl_links=False,
                unfurl_media=False,
            )
        return str(answer["ts"])

    async def _find(self, team: SlackTeam, thread: SlackThread, outgoing: Outgoing) -> str | None:
        since = outgoing.message.created_at.timestamp()
        return await find_post(team.client, thread, REPLY_EVENT_TYPE, "delivery_id", outgoing.delivery_id, since)

    def _may_be_posted(self, outgoing: Outgoing) -> bool:
        """Whether an earlier try may have posted: not if it was this object's and ended for certain before that."""
        return outgoing.attempts > 0 and self._unsent.get(outgoing.delivery_id) != outgoing.attempts

    def _record_failure(self, outgoing: Outgoing, thread: SlackThread, error: ChannelError) -> None:
        if error.retry_after is not None:
            self._throttle.pause(thread.channel, error.retry_after)
        else:
            self._statuses.failed("slack", error.reason)
        if len(self._unsent) >= MAX_TRACKED_DELIVERIES:
            self._unsent.clear()
        if isinstance(error, UncertainError):
            self._unsent.pop(outgoing.delivery_id, None)
        elif not self._may_be_posted(outgoing):
            self._unsent[outgoing.delivery_id] = outgoing.attempts + 1
