"""A chat platform's library is imported only where its tokens are set, and may be missing."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from bot.channel_status import ChannelStatusRegistry
from bot.discord.opening import open_discord
from bot.extras import LIBRARIES, missing_extra
from bot.slack.opening import open_slack
from commands.doctor import token_finding
from storage.records import ChannelName
from storage.settings import Settings

TOKENS = Settings.model_validate(
    {"slack": {"bot_token": "xoxb-a", "app_token": "xapp-b"}, "discord": {"bot_token": "c"}}
)
OPENINGS: dict[ChannelName, Callable[..., AbstractAsyncContextManager[object]]] = {
    "slack": open_slack,
    "discord": open_discord,
}


def test_nothing_is_missing_where_everything_is_installed() -> None:
    assert [missing_extra(extra) for extra in LIBRARIES] == ["", ""]


@pytest.mark.parametrize("channel", OPENINGS)
async def test_a_channel_whose_library_is_missing_is_off_and_says_which_extra_brings_it(
    channel: ChannelName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIBRARIES, channel, "no_such_library")
    statuses = ChannelStatusRegistry()
    store = intake = desk = None  # it does not come so far
    async with OPENINGS[channel](TOKENS, store, intake, desk, statuses) as opened:
        assert opened is None
    status = statuses.of(channel)
    assert not status.is_on
    assert f"extra `{channel}`" in status.last_error


@pytest.mark.parametrize("channel", ["slack", "discord"])
def test_the_doctor_says_which_extra_is_missing_once_the_tokens_are_there(
    channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert token_finding(channel, {"TOKEN": True}).good
    monkeypatch.setitem(LIBRARIES, channel, "no_such_library")
    assert token_finding(channel, {"TOKEN": False}).good
    found = token_finding(channel, {"TOKEN": True})
    assert not found.good
    assert f"extra `{channel}`" in found.detail


def test_a_desk_without_tokens_loads_no_platform_s_library() -> None:
    libraries = "{'discord', 'slack_bolt', 'slack_sdk'}"
    code = f"import sys, commands.process.composition; print(*sorted({libraries} & sys.modules.keys()))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert ended.stdout.split() == []
