"""Idempotent posting: what was posted is found again by its metadata (docs.slack.dev/messaging/message-metadata)."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import translate_errors
from bot.slack.ids import SlackThread

CLOCK_SKEW_SECONDS = 300.0
"""Seconds by which Slack's clock may be behind ours."""
PAGE_SIZE = 200
MAX_PAGES = 10


async def find_post(
    client: AsyncWebClient, thread: SlackThread, event_type: str, key: str, value: str, since: float
) -> str | None:
    """The `ts` of our message with this metadata, posted since then (seconds of Unix time); None if there is none.

    With an empty `thread.ts` the channel itself is searched. Raises ChannelError.
    """
    cursor, wanted = "", (event_type, value)
    for _ in range(MAX_PAGES):
        page = await _page(client, thread, f"{max(since - CLOCK_SKEW_SECONDS, 0.0):.6f}", cursor)
        for message in page["messages"]:
            metadata = message.get("metadata") or {}
            if (metadata.get("event_type"), (metadata.get("event_payload") or {}).get(key)) == wanted:
                return str(message["ts"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return None
    return None


async def _page(client: AsyncWebClient, thread: SlackThread, oldest: str, cursor: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "channel": thread.channel,
        "oldest": oldest,
        "limit": PAGE_SIZE,
        "include_all_metadata": True,
    }
    if cursor:
        arguments["cursor"] = cursor
    with translate_errors():
        if thread.ts:
            answer = await client.conversations_replies(ts=thread.ts, **arguments)
        else:
            answer = await client.conversations_history(**arguments)
    return dict(answer.data) if isinstance(answer.data, dict) else {"messages": []}
