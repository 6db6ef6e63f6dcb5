"""People in the simulated Slack: they write, edit, delete, press and submit; Slack tells the app of it."""

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx

from storage.records import new_id
from tests.simulators.slack.server import SlackServer
from tests.simulators.slack.world import (
    APP,
    BOT_ID,
    BOT_USER,
    SIGNING_SECRET,
    TEAM,
    button_of,
)


class Transport(Protocol):
    """How Slack reaches the app; gives the app's answer."""

    async def event(self, payload: dict[str, Any], retry: int = 0) -> dict[str, Any]:
        """An event of the Events API."""

    async def interact(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A pressed button or a submitted view."""

    async def command(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A slash command."""


@dataclass(frozen=True)
class Socket:
    """Over Socket Mode."""

    slack: SlackServer

    async def event(self, payload: dict[str, Any], retry: int = 0) -> dict[str, Any]:
        return await self._send(
            "events_api", payload, {"retry_attempt": retry, "retry_reason": "timeout"} if retry else {}
        )

    async def interact(self, payload: dict[str, Any]) -> dict[str, Any]:
        return await self._send("interactive", payload, {})

    async def command(self, payload: dict[str, Any]) -> dict[str, Any]:
        return await self._send("slash_commands", payload, {})

    async def _send(self, kind: str, payload: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
        envelope = {"type": kind, "envelope_id": new_id(), "accepts_response_payload": kind != "events_api"}
        return await self.slack.send({**envelope, "payload": payload, **more})


@dataclass(frozen=True)
class SignedHttp:
    """Over HTTP, each request signed (docs.slack.dev/authentication/verifying-requests-from-slack)."""

    client: httpx.AsyncClient
    secret: str = SIGNING_SECRET
    age: float = 0.0
    """Seconds by which requests look older than they are."""

    async def event(self, payload: dict[str, Any], retry: int = 0) -> dict[str, Any]:
        headers = {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"} if retry else {}
        return await self._send(json.dumps(payload), "application/json", headers)

    async def interact(self, payload: dict[str, Any]) -> dict[str, Any]:
        return await self._send(urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded", {})

    async def command(self, payload: dict[str, Any]) -> dict[str, Any]:
        return await self._send(urlencode(payload), "application/x-www-form-urlencoded", {})

    async def post(self, body: str, content_type: str, headers: dict[str, str]) -> httpx.Response:
        at = str(int(time.time() - self.age))
        digest = hmac.new(self.secret.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
        signed = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}", "Content-Type": content_type}
        return await self.client.post("/slack/events", content=body, headers={**signed, **headers})

    async def _send(self, body: str, content_type: str, headers: dict[str, str]) -> dict[str, Any]:
        answer = await self.post(body, content_type, headers)
        assert answer.status_code == 200, answer.text
        return (
            dict(answer.json())
            if answer.headers.get("content-type", "").startswith("application/json") and answer.content
            else {}
        )


@dataclass
class Person:
    """Somebody in Slack."""

    slack: SlackServer
    via: Transport
    user: str
    team: str = TEAM

    async def says(self, channel: str, text: str, thread_ts: str = "", **more: Any) -> str:
        """Write a message and wait until the app has acknowledged the event; gives its `ts`."""
        message = self.writes(channel, text, thread_ts, **more)
        await self.tells(self.event_of(channel, message))
        return str(message["ts"])

    def writes(self, channel: str, text: str, thread_ts: str = "", **more: Any) -> dict[str, Any]:
        """Write a message that the app does not hear of yet."""
        place: dict[str, Any] = {"user": self.user, "text": text, **more}
        if thread_ts:
            root = self.slack.world.find(channel, thread_ts) or {}
            place |= {"thread_ts": thread_ts, "parent_user_id": root.get("user", "")}
        return self.slack.world.post(channel, **place)

    def event_of(self, channel: str, message: dict[str, Any], kind: str = "message") -> dict[str, Any]:
        """The event that tells of a message."""
        types = {"C": "channel", "D": "im", "G": "group"}
        event = {**message, "type": kind, "channel": channel, "event_ts": message["ts"], "team": self.team}
        return event if kind == "app_mention" else {**event, "channel_type": types[channel[0]]}

    async def tells(self, event: dict[str, Any], event_id: str = "", retry: int = 0) -> dict[str, Any]:
        """Slack tells the app of an event."""
        return await self.via.event(self.envelope(event, event_id), retry)

    def envelope(self, event: dict[str, Any], event_id: str = "") -> dict[str, Any]:
        """The outer event (docs.slack.dev/apis/events-api#callback-field)."""
        return {
            "token": "unused",
            "team_id": self.team,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": event_id or f"Ev{new_id()[:10]}",
            "event_time": int(time.time()),
            "authorizations": [{"enterprise_id": None, "team_id": self.team, "user_id": BOT_USER, "is_bot": True}],
            "is_ext_shared_channel": False,
        }

    async def edits(self, channel: str, ts: str, text: str) -> None:
        """Change an own message (docs.slack.dev/reference/events/message/message_changed)."""
        message = self.slack.world.find(channel, ts)
        assert message
        before = dict(message)
        message.update(text=text, edited={"user": self.user, "ts": self.slack.world.ts()})
        await self._about(channel, "message_changed", message=dict(message), previous_message=before)

    async def deletes(self, channel: str, ts: str) -> None:
        """Delete an own message (docs.slack.dev/reference/events/message/message_deleted)."""
        message = self.slack.world.find(channel, ts)
        assert message
        self.slack.world.messages[channel].remove(message)
        await self._about(channel, "message_deleted", deleted_ts=ts, previous_message=message)

    async def clicks(self, channel: str, message: dict[str, Any], action_id: str) -> dict[str, Any]:
        """Press a button (docs.slack.dev/reference/interaction-payloads/block_actions-payload)."""
        element = button_of(message, action_id)
        return await self.via.interact(
            {
                "type": "block_actions",
                "user": {"id": self.user, "team_id": self.team},
                "team": {"id": self.team, "domain": "acme"},
                "api_app_id": APP,
                "trigger_id": new_id(),
                "channel": {"id": channel, "name": "channel"},
                "message": message,
                "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel},
                "response_url": f"{self.slack.url}/respond/press",
                "actions": [{**element, "type": "button", "action_ts": f"{time.time():.6f}"}],
            }
        )

    async def submits(self, view: dict[str, Any], text: str) -> dict[str, Any]:
        """Submit a dialog (docs.slack.dev/reference/interaction-payloads/view-interactions-payload)."""
        values = {"words": {"text": {"type": "plain_text_input", "value": text}}}
        return await self.via.interact(
            {
                "type": "view_submission",
                "user": {"id": self.user, "team_id": self.team},
                "team": {"id": self.team, "domain": "acme"},
                "api_app_id": APP,
                "trigger_id": new_id(),
                "view": {**view, "id": "V1", "team_id": self.team, "state": {"values": values}},
            }
        )

    async def commands(self, channel: str, text: str) -> str:
        """Use `/deskhand`; gives what the app answers this person."""
        seen = len(self.slack.world.responses)
        await self.via.command(
            {
                "command": "/deskhand",
                "text": text,
                "user_id": self.user,
                "channel_id": channel,
                "team_id": self.team,
                "api_app_id": APP,
                "trigger_id": new_id(),
                "response_url": f"{self.slack.url}/respond/command",
            }
        )
        async with asyncio.timeout(60):
            while len(self.slack.world.responses) == seen:  # noqa: ASYNC110 - another server's memory
                await asyncio.sleep(0.01)
        assert self.slack.world.responses[-1]["response_type"] == "ephemeral"
        return str(self.slack.world.responses[-1]["text"])

    async def opens_home(self) -> None:
        """Look at the app's Home tab."""
        await self.tells({"type": "app_home_opened", "user": self.user, "channel": f"D{self.user}", "tab": "home"})

    async def opens_assistant(self) -> str:
        """Begin a thread in the assistant pane; gives its `ts` (…/reference/events/assistant_thread_started)."""
        channel = f"D{self.user}"
        ts = str(self.slack.world.post(channel, user=BOT_USER, bot_id=BOT_ID, text="New chat")["ts"])
        self.slack.world.panes.add((channel, ts))
        context = {"channel_id": "C1", "team_id": self.team, "enterprise_id": None}
        thread = {"user_id": self.user, "context": context, "channel_id": channel, "thread_ts": ts}
        await self.tells({"type": "assistant_thread_started", "assistant_thread": thread, "event_ts": ts})
        return ts

    async def _about(self, channel: str, subtype: str, **more: Any) -> None:
        ts = self.slack.world.ts()
        kind = "im" if channel.startswith("D") else "channel"
        event = {
            "type": "message",
            "subtype": subtype,
            "channel": channel,
            "ts": ts,
            "hidden": True,
            "channel_type": kind,
        }
        await self.tells({**event, **more})
