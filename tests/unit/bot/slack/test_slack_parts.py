"""The parts of the Slack adapter that need no Slack."""

import asyncio
from pathlib import Path

import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from bot.attachments import (
    CUT,
    decoded,
    is_readable,
    with_files,
)
from bot.channel_status import ChannelStatusRegistry
from bot.errors import ChannelError
from bot.slack.app import SlackApp
from bot.slack.blocks import button, reply_blocks, source_link
from bot.slack.connection.oauth import SCOPES
from bot.slack.ids import SlackThread
from bot.slack.installations import SlackTeam
from bot.slack.routing import plain
from bot.slack.throttle import SlackPace
from storage.clock import now
from storage.records import Attachment, Author, Citation, Draft, Message, Visibility
from tests.simulators.slack.methods import check_blocks

MANIFEST = Path(__file__).parents[4] / "deploy" / "slack-manifest.yaml"


def test_the_manifest_asks_for_the_scopes_that_are_used_and_no_more() -> None:
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    assert manifest["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)
    assert manifest["features"]["slash_commands"][0]["command"] == "/deskhand"


def test_the_manifest_subscribes_to_the_events_that_are_heard_and_no_more() -> None:
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    subscribed = manifest["settings"]["event_subscriptions"]["bot_events"]
    # Who hears what is known before anything is connected.
    heard = SlackApp.__new__(SlackApp).listeners()
    assert {event.split(".")[0] for event in subscribed} == heard.keys()


async def test_a_channel_is_posted_to_at_most_once_in_its_time() -> None:
    pace, clock = SlackPace(0.2), asyncio.get_running_loop().time
    began = clock()
    for _ in range(3):
        await pace.turn("C1")
    assert clock() - began >= 0.4
    await pace.turn("C2")


async def test_who_would_wait_long_is_told_when_to_come_back() -> None:
    pace = SlackPace(2.0)
    pace.stop("C1", 30.0)
    with pytest.raises(ChannelError) as told:
        await pace.turn("C1")
    assert told.value.retry_after is not None
    assert 29 < told.value.retry_after <= 30


@pytest.mark.parametrize(
    ("slacks", "ours"),
    [
        ("<@UBOT> hello", "hello"),
        ("<@UBOT|desk>, hello", "hello"),
        ("see <https://x.example/a|x.example/a> &amp; <https://y.example>", "see x.example/a & https://y.example"),
        ("<https://x.example|our site> a &lt; b", "our site (https://x.example) a < b"),
        ("ask <#C1|general>", "ask general"),
        ("mail <mailto:a@x.example|a@x.example>", "mail a@x.example"),
    ],
)
def test_slacks_markup_becomes_the_customers_words(slacks: str, ours: str) -> None:
    team = SlackTeam("T1", "demo", "UBOT", "B1", AsyncWebClient())
    assert plain(team, slacks) == ours


def test_a_threads_name_can_be_read_again() -> None:
    for thread in (SlackThread("T1", "C1", "1.2"), SlackThread("T1", "D1")):
        assert SlackThread.parse(str(thread)) == thread


def test_text_files_are_read_into_the_message_and_the_others_stay_links() -> None:
    log = Attachment("a.log", "https://x.example", text="line\n" * 900)
    picture = Attachment("p.png", "https://x.example")
    text, unread = with_files("Look:", (log, picture))
    assert text.startswith("Look:\n\na.log:\nline")
    assert text.endswith(CUT)
    assert len(text) < 2000
    assert unread == (picture,)
    assert with_files("", (picture,))[0] == "(sent p.png)"


def test_only_small_text_like_files_are_read() -> None:
    assert is_readable("a.txt", "", 10)
    assert is_readable("a", "text/plain; charset=utf-8", 10)
    assert not is_readable("a.png", "image/png", 10)
    assert not is_readable("a.txt", "text/plain", 10_000_000)
    assert decoded(b"\xff\xfe") is None
    assert decoded(b"a\0b") is None
    assert decoded("\ufeffü".encode()) == "ü"


def test_a_reply_keeps_within_block_kits_limits() -> None:
    citations = tuple(
        Citation(chunk_id=str(n), document_id="d", title="How? " * 60, text="So. " * 900) for n in range(12)
    )
    draft = Draft(text="x", citations=citations, follow_ups=("What about this? " * 20,) * 3, can_answer=True)
    message = Message(
        id="m" * 32,
        workspace_id="demo",
        conversation_id="c" * 32,
        seq=1,
        author=Author.BOT,
        visibility=Visibility.PUBLIC,
        text="A < b. " * 2800,
        created_at=now(),
        draft=draft,
    )
    check_blocks(reply_blocks(message))
    assert len(button("x" * 99, "a", "v")["text"]["text"]) == 75


def test_a_source_with_an_address_is_a_link_and_another_is_its_title() -> None:
    linked = Citation(chunk_id="1", document_id="d", title="How <so> | why", text="So.", url="https://x.example/?a=1&b")
    assert source_link(linked) == "<https://x.example/?a=1&amp;b|How &lt;so&gt; | why>"
    assert source_link(linked.model_copy(update={"url": ""})) == "How &lt;so&gt; | why"


def test_a_channels_state_tells_since_when_and_what_went_wrong() -> None:
    states = ChannelStatusRegistry()
    assert not states.of("slack").is_on
    states.connected("slack")
    states.event("slack")
    states.disconnected("slack", "gone\naway")
    state = states.of("slack")
    assert (state.is_on, state.connected_since, state.last_error) == (True, None, "gone away")
    assert state.last_event_at
    states.connected("slack")
    assert states.of("slack").last_error == ""
    states.off("slack", "wrong token")
    assert states.all() == (states.of("slack"),)
