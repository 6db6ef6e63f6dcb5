"""Translating Slack's errors (docs.slack.dev/reference/methods/chat.postMessage#errors) as ours."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.errors import ChannelError, UncertainError

HTTP_TOO_MANY, HTTP_SERVER_ERROR = 429, 500
TRANSIENT_ERRORS = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "rate_limited"}
)
"""What may be over at the next try; every other error of Slack's stays."""
SLACK_UNREACHABLE = (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise ChannelError for whatever goes wrong with a call of Slack's Web API."""
    try:
        yield
    except SlackApiError as error:
        raise _channel_error(error) from error
    except SLACK_UNREACHABLE as error:
        raise UncertainError(f"Slack does not answer ({type(error).__name__})") from error


def error_code(error: SlackApiError) -> str:
    """Slack's word for what went wrong."""
    data = error.response.data if hasattr(error.response, "data") else error.response
    return str(data.get("error", "no reason")) if isinstance(data, dict) else "no reason"


def _channel_error(error: SlackApiError) -> ChannelError:
    status, reason = int(getattr(error.response, "status_code", 0)), error_code(error)
    if status == HTTP_TOO_MANY or reason == "ratelimited":
        return ChannelError("Slack asks to wait", retry_after=float(error.response.headers.get("Retry-After", 1)))
    if status >= HTTP_SERVER_ERROR:
        # A gateway's answer says nothing about what happened behind it.
        return UncertainError(f"Slack answered {status}")
    return ChannelError(f"Slack refused it: {reason}", permanent=reason not in TRANSIENT_ERRORS)
