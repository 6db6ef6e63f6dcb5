"""What customers press under a reply: votes, a person, follow-ups, solved, sources."""

from dataclasses import dataclass
from typing import Any

from bot.background_tasks import BackgroundTasks
from bot.intake import Intake
from bot.rate_limit import KeyedThrottle
from bot.slack.blocks import context, source_modal
from bot.slack.ids import SlackThread, message_key, user_key
from bot.slack.installations import SlackTeam
from bot.slack.mrkdwn import escape_mrkdwn
from graph.desk import Desk
from storage.errors import DeskhandError
from storage.records import Conversation, ConversationStatus, Incoming, Vote
from storage.store import Store

THANKS = "Thanks for telling us."
NOT_YOURS = "Only the person who asked can do that."


@dataclass(frozen=True, slots=True)
class ButtonClick:
    """A pressed button."""

    team: SlackTeam
    user: str
    channel: str
    thread_ts: str
    action: str
    value: str
    """What the button carries: a conversation's id and, after a colon, a message's id or a text."""
    pressed_at: str
    """Slack's own time of it: unique, and the same when the event is repeated."""
    trigger_id: str


def press_of(team: SlackTeam, body: dict[str, Any]) -> ButtonClick:
    """The press that an interaction payload tells of."""
    action, message = body["actions"][0], body.get("message") or {}
    return ButtonClick(
        team=team,
        user=body["user"]["id"],
        channel=(body.get("channel") or {}).get("id", ""),
        thread_ts=message.get("thread_ts") or message.get("ts") or "",
        action=action["action_id"],
        value=action.get("value", ""),
        pressed_at=action.get("action_ts", ""),
        trigger_id=body.get("trigger_id", ""),
    )


class SlackReplyActions:
    """Does what was pressed, and says so to the one who pressed."""

    def __init__(
        self, store: Store, intake: Intake, desk: Desk, throttle: KeyedThrottle, errands: BackgroundTasks
    ) -> None:
        self._store = store
        self._intake = intake
        self._desk = desk
        self._throttle = throttle
        self._errands = errands

    async def pressed(self, press: ButtonClick) -> None:
        """Do it; a conversation of another workspace or customer is nobody's to touch."""
        conversation_id, _, rest = press.value.partition(":")
        try:
            conversation = await self._store.conversations.reading.read(press.team.workspace_id, conversation_id)
            if press.action == "sources":
                await self._show_sources(press, rest)
                return
            if conversation.customer.external_id != user_key(press.team.id, press.user):
                self.whisper(press, NOT_YOURS)
                return
            said = await self._do(press, conversation, rest)
        except DeskhandError as error:
            said = error.detail
        if said:
            self.whisper(press, said)

    def whisper(self, press: ButtonClick, text: str) -> None:
        """Say something to the one who pressed, and to nobody else; from App Home, in their direct messages."""
        self._errands.send(self._whisper(press, escape_mrkdwn(text)), "answer a button")

    async def _whisper(self, press: ButtonClick, text: str) -> None:
        client = press.team.client
        if not press.channel:
            await client.chat_postMessage(channel=press.user, text=text)
            return
        await client.chat_postEphemeral(
            channel=press.channel, user=press.user, text=text, thread_ts=press.thread_ts or None
        )

    async def _do(self, press: ButtonClick, conversation: Conversation, rest: str) -> str:
        match press.action:
            case "vote_up" | "vote_down":
                return await self._vote(conversation, rest, "up" if press.action == "vote_up" else "down")
            case "person":
                await self._desk.ask_person(conversation.workspace_id, conversation.id)
                return "" if conversation.status is not ConversationStatus.ASSIGNED else "A person has this already."
            case "solved":
                await self._desk.resolve(conversation.workspace_id, conversation.id)
                return "Great, marked as solved. Write again here whenever you need us."
            case _:
                return await self._follow_up(press, conversation, rest)

    async def _vote(self, conversation: Conversation, message_id: str, vote: Vote) -> str:
        await self._desk.vote(conversation.workspace_id, conversation.id, message_id, vote)
        return THANKS

    async def _follow_up(self, press: ButtonClick, conversation: Conversation, text: str) -> str:
        """The suggestion becomes the customer's next message; the thread shows it."""
        accepted = await self._intake.accept(
            Incoming(
                workspace_id=conversation.workspace_id,
                channel="slack",
                external_id=message_key(press.team.id, press.channel, f"pressed-{press.pressed_at}"),
                thread=conversation.thread,
                customer_external_id=conversation.customer.external_id,
                text=text,
                place=conversation.place,
            )
        )
        if not accepted.repeated:
            thread = SlackThread.parse(conversation.thread)
            self._errands.send(self._echo(press, thread, text), "show a follow-up question")
        return ""

    async def _echo(self, press: ButtonClick, thread: SlackThread, text: str) -> None:
        await self._throttle.wait(thread.channel)
        shown = f"<@{press.user}> asks: {escape_mrkdwn(text)}"
        await press.team.client.chat_postMessage(
            channel=thread.channel, thread_ts=thread.ts or None, text=shown, blocks=[context(shown)]
        )

    async def _show_sources(self, press: ButtonClick, message_id: str) -> None:
        message = await self._store.conversations.messages.find(press.team.workspace_id, message_id)
        citations = message.draft.citations if message and message.draft else ()
        await press.team.client.views_open(trigger_id=press.trigger_id, view=source_modal(citations))
