"""Buttons under a reply in Slack: each click becomes one of the shared use cases."""

from bot.background_tasks import BackgroundTasks
from bot.rate_limit import KeyedThrottle
from bot.reply_actions import ReplyActions, ReplyClick
from bot.slack.blocks import context
from bot.slack.clicks import ButtonClick
from bot.slack.ids import SlackThread, message_key
from bot.slack.mrkdwn import escape_mrkdwn
from bot.slack.replies.rendering import source_modal
from storage.errors import DeskhandError
from storage.store import Store


class SlackReplyActions:
    """Does what was clicked, and gives what to tell the one who clicked."""

    def __init__(
        self, store: Store, actions: ReplyActions, throttle: KeyedThrottle, background: BackgroundTasks
    ) -> None:
        self._conversations = store.conversations.reading
        self._actions = actions
        self._throttle = throttle
        self._background = background

    async def click(self, click: ButtonClick) -> str:
        """Do it; a conversation of another workspace or customer is nobody's to touch."""
        conversation_id, _, rest = click.value.partition(":")
        try:
            conversation = await self._conversations.read(click.team.workspace_id, conversation_id)
            return await self._act(click, ReplyClick(conversation, click.person), rest)
        except DeskhandError as error:
            return error.detail

    async def _act(self, click: ButtonClick, on_reply: ReplyClick, rest: str) -> str:
        match click.action:
            case "vote_up":
                return await self._actions.vote(on_reply, rest, "up")
            case "vote_down":
                return await self._actions.vote(on_reply, rest, "down")
            case "person":
                return await self._actions.ask_person(on_reply)
            case "solved":
                return await self._actions.resolve(on_reply)
            case "sources":
                return await self._show_sources(click, rest)
            case _:
                return await self._ask_follow_up(click, on_reply, rest)

    async def _ask_follow_up(self, click: ButtonClick, on_reply: ReplyClick, question: str) -> str:
        """The thread shows what was asked, so nothing more is said."""
        external_id = message_key(click.team.id, click.channel, f"pressed-{click.clicked_at}")
        accepted = await self._actions.ask_follow_up(on_reply, question, external_id)
        if not accepted.repeated:
            thread = SlackThread.parse(on_reply.conversation.thread)
            self._background.spawn(self._echo(click, thread, question), "show a follow-up question")
        return ""

    async def _echo(self, click: ButtonClick, thread: SlackThread, question: str) -> None:
        await self._throttle.wait(thread.channel)
        shown = f"<@{click.user}> asks: {escape_mrkdwn(question)}"
        await click.team.client.chat_postMessage(
            channel=thread.channel, thread_ts=thread.ts or None, text=shown, blocks=[context(shown)]
        )

    async def _show_sources(self, click: ButtonClick, message_id: str) -> str:
        citations = await self._actions.sources(click.team.workspace_id, message_id)
        await click.team.client.views_open(trigger_id=click.trigger_id, view=source_modal(citations))
        return ""
