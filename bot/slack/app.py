"""Slack's Bolt application: each listener finds the team, does or keeps what must not be lost, and acknowledges."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_bolt.authorization import AuthorizeResult

from bot.background_tasks import BackgroundTasks
from bot.channel_status import ChannelStatusRegistry
from bot.slack.clicks import answer_click, click_of
from bot.slack.events import SlackEvents
from bot.slack.installations import SlackTeams
from bot.slack.replies.actions import SlackReplyActions
from bot.slack.reviews.actions import SlackReviewActions
from bot.slack.reviews.card import submission_of
from bot.slack.surfaces.assistant import SlackAssistant
from bot.slack.surfaces.command import SlackCommand
from bot.slack.surfaces.home import SlackHome
from storage.records import Decision, DecisionKind
from storage.settings import Settings

REPLY_BUTTONS = re.compile(r"^(vote_up|vote_down|person|solved|sources|follow_up_\d)$")
CARD_BUTTONS = re.compile(r"^card_(approve|edit|reject|take_over)$")


class SlackApp:
    """Bolt's listeners: each finds the team, does or keeps what must not be lost, and then acknowledges."""

    def __init__(
        self,
        *,
        teams: SlackTeams,
        events: SlackEvents,
        reply_actions: SlackReplyActions,
        review_actions: SlackReviewActions,
        command: SlackCommand,
        home: SlackHome,
        assistant: SlackAssistant,
        background: BackgroundTasks,
        statuses: ChannelStatusRegistry,
    ) -> None:
        self._teams = teams
        self._events = events
        self._reply_actions = reply_actions
        self._review_actions = review_actions
        self._command = command
        self._home = home
        self._assistant = assistant
        self._background = background
        self._statuses = statuses

    def build(self, settings: Settings) -> AsyncApp:
        """The Bolt application. `process_before_response`: Slack's event is acknowledged after it is kept."""

        async def authorize(team_id: str | None, enterprise_id: str | None) -> AuthorizeResult | None:
            return await self._teams.authorize(team_id, enterprise_id)

        app = AsyncApp(
            client=self._teams.client(),
            signing_secret=settings.slack.signing_secret.get_secret_value() or "-",
            authorize=authorize,  # type: ignore[arg-type]  # None is Bolt's own word for "not installed"
            process_before_response=True,
            logger=logging.getLogger("slack"),
        )
        for event, listener in self.listeners().items():
            app.event(event)(listener)
        app.action(REPLY_BUTTONS)(self._reply_button)
        app.action(CARD_BUTTONS)(self._card_button)
        app.view("card_edited")(self._card_edited)
        app.view("card_rejected")(self._card_rejected)
        app.command("/deskhand")(self._slash_command)
        return app

    def listeners(self) -> dict[str, Callable[..., Awaitable[None]]]:
        """Who hears which event; `deploy/slack-manifest.yaml` subscribes to these and no more."""
        return {
            "message": self._message,
            "app_mention": self._message,
            "app_home_opened": self._home_opened,
            "assistant_thread_started": self._assistant_started,
            "assistant_thread_context_changed": _ignore,
            "app_uninstalled": self._uninstalled,
            "tokens_revoked": self._uninstalled,
        }

    async def _message(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        self._statuses.event("slack")
        if team := await self._teams.find(context.team_id):
            await self._events.message(team, event)

    async def _home_opened(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        team = await self._teams.find(context.team_id)
        if team is not None and event.get("tab") == "home":
            self._background.spawn(self._home.publish(team, event["user"]), "show App Home")

    async def _assistant_started(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        self._statuses.event("slack")
        if team := await self._teams.find(context.team_id):
            self._background.spawn(self._assistant.suggest_prompts(team, event["assistant_thread"]), "suggest prompts")

    async def _uninstalled(self, context: AsyncBoltContext) -> None:
        if context.team_id:
            await self._teams.uninstalled(context.team_id)

    async def _reply_button(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        if team := await self._teams.find(context.team_id):
            click = click_of(team, body)
            if answer := await self._reply_actions.click(click):
                self._background.spawn(answer_click(click, answer), "answer a button")
        await ack()

    async def _card_button(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        if team := await self._teams.find(context.team_id):
            click = click_of(team, body)
            if answer := await self._review_actions.click(click):
                self._background.spawn(answer_click(click, answer), "answer a button")
            if not click.channel:
                self._background.spawn(self._home.publish(team, click.user), "show App Home")
        await ack()

    async def _card_edited(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await self._card_submitted(ack, body, context, DecisionKind.EDIT)

    async def _card_rejected(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await self._card_submitted(ack, body, context, DecisionKind.REJECT)

    async def _card_submitted(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, kind: DecisionKind
    ) -> None:
        team = await self._teams.find(context.team_id)
        if team is None:
            await ack()
            return
        review_id, version, text = submission_of(body["view"])
        decision = Decision(kind=kind, text=text) if kind is DecisionKind.EDIT else Decision(kind=kind, guidance=text)
        if problem := await self._review_actions.decide(team, body["user"]["id"], review_id, version, decision):
            await ack(response_action="errors", errors={"words": problem})
        else:
            await ack()

    async def _slash_command(
        self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        await ack()
        if team := await self._teams.find(context.team_id):
            self._background.spawn(self._respond(team.id, respond, body), "answer /deskhand")

    async def _respond(self, team_id: str, respond: AsyncRespond, body: dict[str, Any]) -> None:
        team = await self._teams.require(team_id)
        text = await self._command.answer(team, body["user_id"], body["channel_id"], body.get("text") or "")
        await respond(text=text, response_type="ephemeral")


async def _ignore() -> None:
    """Nothing to do: what is suggested does not depend on what the customer looks at beside the pane."""
