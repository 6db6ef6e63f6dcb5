"""Translating Discord's errors (docs.discord.com/developers/topics/opcodes-and-status-codes#http) as ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp
import discord

from bot.errors import BotError, ChannelError, UncertainError

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, THREAD_EXISTS = 10003, 10008, 160004
CALL_SECONDS = 60.0
BANNED_SECONDS = 60.0
FAILURES = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
"""Whatever a call of Discord's, or the connection to it, may raise."""


class NotGrantedError(BotError):
    """Discord refuses this bot until an admin changes something; the message says what."""


@asynccontextmanager
async def translate_errors() -> AsyncIterator[None]:
    """Raise ChannelError for whatever goes wrong with a call of Discord's."""
    try:
        async with asyncio.timeout(CALL_SECONDS):
            yield
    except discord.RateLimited as error:
        raise ChannelError("Discord's rate limit", retry_after=error.retry_after) from error
    except discord.HTTPException as error:
        raise channel_error(error) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise UncertainError(f"Discord does not answer ({type(error).__name__})") from error


def channel_error(error: discord.HTTPException) -> ChannelError:
    """What an error answer means for the delivery."""
    reason = f"Discord answered {error.status}: {error.text or 'no reason given'}"
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        # JSON with `Via`: the library's own tries are used up. Otherwise it is a ban of this machine's address.
        seconds = float(error.response.headers.get("Retry-After", 1)) if "Via" in error.response.headers else None
        return ChannelError("Discord's rate limit (HTTP 429)", retry_after=seconds or BANNED_SECONDS)
    if error.status == HTTPStatus.UNAUTHORIZED:
        return ChannelError("Discord refuses DISCORD_BOT_TOKEN", retry_after=BANNED_SECONDS)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UncertainError(reason)
    return ChannelError(reason, permanent=True)
