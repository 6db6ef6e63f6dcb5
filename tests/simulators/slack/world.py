"""A simulated Slack's memory: teams, people, channels, messages, and what went over the wire.

Written from Slack's documentation: docs.slack.dev/reference/methods (methods and their errors),
docs.slack.dev/reference/events (events), docs.slack.dev/apis/web-api/rate-limits (one message per second and channel,
HTTP 429 with Retry-After), docs.slack.dev/messaging/message-metadata, docs.slack.dev/reference/block-kit (limits).
"""

import time
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

Fault = Literal["lose the answer", "429", "503", "internal_error", "channel_not_found"]
TEAM, BOT_USER, BOT_ID, APP = "T1", "UBOT", "B1", "A1"
BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-sim", "xapp-sim", "signing-secret"
SHORT_BURST = 1
"""Messages that a channel takes at once."""


@dataclass
class SlackWorld:
    """Everything that people would see."""

    messages: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """Per channel, in order."""
    ephemerals: list[dict[str, Any]] = field(default_factory=list)
    """Ephemeral messages."""
    reactions: set[tuple[str, str, str]] = field(default_factory=set)
    statuses: list[tuple[str, str, str]] = field(default_factory=list)
    panes: set[tuple[str, str]] = field(default_factory=set)
    """Assistant threads: (direct channel, ts)."""
    prompts: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """What is suggested in each, as it was sent."""
    titles: dict[tuple[str, str], str] = field(default_factory=dict)
    views: list[dict[str, Any]] = field(default_factory=list)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    responses: list[dict[str, Any]] = field(default_factory=list)
    """What was sent to response URLs."""
    files: dict[str, bytes] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    """Files and methods that give no answer as long as they are in here."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    """Per method, how the next calls go wrong."""
    tokens: dict[str, str] = field(default_factory=lambda: {BOT_TOKEN: TEAM})
    """Bot token to team."""
    names: dict[str, str] = field(default_factory=dict)
    posted_at: dict[str, deque[float]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=SHORT_BURST + 1))
    )
    too_fast: int = 0
    """Posts that were refused for coming less than a second after the one before."""
    _serial: Iterator[int] = field(default_factory=lambda: count(1))
    began: float = field(default_factory=lambda: float(int(time.time())))

    def ts(self) -> str:
        """A fresh message id: seconds and a serial number, unique within a channel."""
        number = next(self._serial)
        return f"{int(time.time())}.{number:06d}"

    def post(self, channel: str, **message: Any) -> dict[str, Any]:
        """Show a message in a channel."""
        kept = {"type": "message", "ts": self.ts(), **message}
        self.messages[channel].append(kept)
        return kept

    def thread(self, channel: str, ts: str) -> list[dict[str, Any]]:
        """A thread's messages: the first and its replies."""
        return [item for item in self.messages[channel] if ts in (item["ts"], item.get("thread_ts"))]

    def replies(self, channel: str, ts: str) -> list[dict[str, Any]]:
        """The bot's messages in a thread."""
        return [item for item in self.thread(channel, ts) if item.get("user") == BOT_USER]

    def find(self, channel: str, ts: str) -> dict[str, Any] | None:
        """One message."""
        return next((item for item in self.messages[channel] if item["ts"] == ts), None)

    def may_post(self, channel: str) -> bool:
        """Whether this channel may be posted to now (docs: one message per second per channel, with short bursts)."""
        now, recent = time.monotonic(), self.posted_at[channel]
        if len(recent) == recent.maxlen and now - recent[0] < 0.9 * SHORT_BURST:
            return False
        if recent and SHORT_BURST == 1 and now - recent[-1] < 0.9:
            return False
        recent.append(now)
        return True


def text_of(message: dict[str, Any]) -> str:
    """Everything that a message shows, from its blocks."""
    return "\n".join(_texts(message.get("blocks") or [])) or str(message.get("text", ""))


def _texts(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        for part in (block.get("text"), *block.get("elements", ())):
            if isinstance(part, str):
                yield part
            elif isinstance(part, dict):
                inner = part.get("text")
                yield str(inner.get("text") if isinstance(inner, dict) else inner)


def button_of(message: dict[str, Any], action_id: str) -> dict[str, Any]:
    """A button of a message or view."""
    for block in message["blocks"]:
        for element in (*block.get("elements", ()), block.get("accessory") or {}):
            if element.get("action_id") == action_id:
                return {**element, "block_id": block.get("block_id", "")}
    raise AssertionError(f"no button {action_id} in {message}")
