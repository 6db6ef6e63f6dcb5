"""Button clicks in Slack, and the answers that only the one who clicked sees."""

from dataclasses import dataclass
from typing import Any

from bot.slack.ids import user_key
from bot.slack.installations import SlackTeam
from bot.slack.mrkdwn import escape_mrkdwn


@dataclass(frozen=True, slots=True)
class ButtonClick:
    """A clicked button."""

    team: SlackTeam
    user: str
    channel: str
    """Empty in App Home."""
    thread_ts: str
    action: str
    value: str
    """What the button carries: a conversation's or review's id and, after a colon, a message's id, text or version."""
    clicked_at: str
    """Slack's own time of it: unique, and the same when the event is repeated."""
    trigger_id: str

    @property
    def person(self) -> str:
        """The external id of who clicked."""
        return user_key(self.team.id, self.user)


def click_of(team: SlackTeam, body: dict[str, Any]) -> ButtonClick:
    """The click that an interaction payload tells of."""
    action, message = body["actions"][0], body.get("message") or {}
    return ButtonClick(
        team=team,
        user=body["user"]["id"],
        channel=(body.get("channel") or {}).get("id", ""),
        thread_ts=message.get("thread_ts") or message.get("ts") or "",
        action=action["action_id"],
        value=action.get("value", ""),
        clicked_at=action.get("action_ts", ""),
        trigger_id=body.get("trigger_id", ""),
    )


async def answer_click(click: ButtonClick, text: str) -> None:
    """Say something to the one who clicked, and to nobody else; from App Home, in their direct messages."""
    client, text = click.team.client, escape_mrkdwn(text)
    if not click.channel:
        await client.chat_postMessage(channel=click.user, text=text)
        return
    await client.chat_postEphemeral(
        channel=click.channel, user=click.user, text=text, thread_ts=click.thread_ts or None
    )
