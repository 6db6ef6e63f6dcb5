"""Slack's assistant pane: suggested prompts, and titles for the threads in the customer's history."""

from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.slack.errors import SLACK_UNREACHABLE, error_code
from bot.slack.installations import SlackTeam
from bot.slack.routing import SlackMessage, plain_text
from storage.conversations.suggested_questions import SuggestedQuestions

log = structlog.get_logger(__name__)
MAX_PROMPTS = 4
"""docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts: "up to four"."""
MAX_THREAD_TITLE = 100
PROMPTS_TITLE = "Often asked here"


class SlackAssistant:
    """Best effort: a pane that Slack does not find any more is no failure."""

    def __init__(self, suggested_questions: SuggestedQuestions) -> None:
        self._suggested_questions = suggested_questions

    async def suggest_prompts(self, team: SlackTeam, thread: dict[str, Any]) -> None:
        """Somebody opened the pane: suggest the questions that the workspace answers most."""
        questions = await self._suggested_questions.questions(team.workspace_id, MAX_PROMPTS)
        if not questions:
            return
        try:
            await team.client.assistant_threads_setSuggestedPrompts(
                channel_id=thread["channel_id"],
                thread_ts=thread["thread_ts"],
                title=PROMPTS_TITLE,
                prompts=[{"title": _shortened(question), "message": question} for question in questions],
            )
        except SlackApiError as error:
            log.info("suggested prompts not shown", reason=error_code(error))
        except SLACK_UNREACHABLE as error:
            log.info("suggested prompts not shown", reason=type(error).__name__)

    async def set_title(self, team: SlackTeam, message: SlackMessage) -> None:
        """Call the thread what its first message asks."""
        title = _shortened(next(iter(plain_text(team, message.text).splitlines()), ""))
        if not title:
            return
        try:
            await team.client.assistant_threads_setTitle(
                channel_id=message.channel, thread_ts=message.thread_ts, title=title
            )
        except SlackApiError as error:
            # A thread in direct messages that was not begun in the pane has no title.
            log.debug("assistant thread not titled", reason=error_code(error))
        except SLACK_UNREACHABLE as error:
            log.info("assistant thread not titled", reason=type(error).__name__)


def _shortened(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MAX_THREAD_TITLE else text[: MAX_THREAD_TITLE - 1] + "…"
