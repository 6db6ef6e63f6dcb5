"""Slack's assistant pane: what may be asked there, and what a thread is called in the customer's history."""

from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.slack.errors import UNREACHABLE, reason_of
from bot.slack.installations import SlackTeam
from bot.slack.routing import SlackMessage, plain
from storage.conversations.suggested_questions import SuggestedQuestions

log = structlog.get_logger(__name__)
MAX_PROMPTS = 4
"""docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts: "up to four"."""
MAX_TITLE = 100
HEADING = "Often asked here"


class SlackAssistant:
    """Both are courtesies: a pane that Slack does not find any more is no failure."""

    def __init__(self, frequent: SuggestedQuestions) -> None:
        self._frequent = frequent

    async def started(self, team: SlackTeam, thread: dict[str, Any]) -> None:
        """Somebody opened the pane: suggest the questions that the workspace answers most."""
        questions = await self._frequent.questions(team.workspace_id, MAX_PROMPTS)
        if not questions:
            return
        try:
            await team.client.assistant_threads_setSuggestedPrompts(
                channel_id=thread["channel_id"],
                thread_ts=thread["thread_ts"],
                title=HEADING,
                prompts=[{"title": _short(question), "message": question} for question in questions],
            )
        except SlackApiError as error:
            log.info("no suggested prompts", reason=reason_of(error))
        except UNREACHABLE as error:
            log.info("no suggested prompts", reason=type(error).__name__)

    async def name(self, team: SlackTeam, said: SlackMessage) -> None:
        """Call the thread what its first message asks."""
        title = _short(next(iter(plain(team, said.text).splitlines()), ""))
        if not title:
            return
        try:
            await team.client.assistant_threads_setTitle(channel_id=said.channel, thread_ts=said.thread_ts, title=title)
        except SlackApiError as error:
            # A thread in direct messages that was not begun in the pane has no title.
            log.debug("no title for an assistant thread", reason=reason_of(error))
        except UNREACHABLE as error:
            log.info("no title for an assistant thread", reason=type(error).__name__)


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MAX_TITLE else text[: MAX_TITLE - 1] + "…"
