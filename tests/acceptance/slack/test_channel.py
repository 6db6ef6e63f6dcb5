"""What people may do in Slack, and what becomes of it: one desk, each test in a channel of its own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from storage.records import ConversationStatus, Mode, Place, ReviewStatus
from tests.simulators.slack.desk import STAFF, SlackDesk, open_slack_desk
from tests.simulators.slack.people import Person
from tests.simulators.slack.server import running_slack
from tests.simulators.slack.world import (
    BOT_USER,
    TEAM,
    button_of,
    text_of,
)
from tests.support.settings import settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")
KNOWN, UNKNOWN = "How do I reset my password?", "Does the moon base have parking?"
serial = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SlackDesk]:
    async with running_slack() as slack, open_slack_desk(settings_for(tmp_path_factory.mktemp("slack")), slack) as desk:
        yield desk


@pytest_asyncio.fixture(loop_scope="module")
async def help_channel(desk: SlackDesk) -> str:
    """A support channel of the test's own."""
    return await support(desk, Mode.AUTO)


@pytest.fixture
def cleo(desk: SlackDesk) -> Person:
    """A customer of the test's own."""
    return desk.person(f"UCLEO{next(serial)}")


async def support(desk: SlackDesk, mode: Mode | None) -> str:
    channel = f"C{next(serial):04d}"
    await desk.process.store.channels.places.keep(Place("demo", "slack", TEAM, channel, mode=mode))
    return channel


async def quiet(desk: SlackDesk, channel: str) -> bool:
    """Whether the bot has said nothing in a channel, after everything is done."""
    await desk.settled()
    return not [item for item in desk.world.messages[channel] if item.get("blocks")]


async def customer_texts(desk: SlackDesk, channel: str, ts: str) -> list[str]:
    conversation = await desk.conversation(channel, ts)
    said = await desk.process.store.conversations.messages.of_conversation("demo", conversation.id)
    return [item.text for item in said if item.author == "customer"]


@pytest.mark.parametrize("channel", ["CRANDOM", "GPRIVATE"])
async def test_elsewhere_only_a_mention_is_heard(desk: SlackDesk, cleo: Person, channel: str) -> None:
    await cleo.says(channel, KNOWN)
    assert await quiet(desk, channel)
    ts = await cleo.says(channel, f"<@{BOT_USER}> {KNOWN}")
    assert "Forgot password" in text_of(await desk.reply(channel, ts))
    assert await customer_texts(desk, channel, ts) == [KNOWN]


async def test_a_thread_that_is_served_needs_no_mention_but_hears_its_customer_only(
    desk: SlackDesk, cleo: Person
) -> None:
    channel = "CTHREADS"
    ts = await cleo.says(channel, f"<@{BOT_USER}> {KNOWN}")
    await desk.reply(channel, ts)
    await desk.person("UPASSERBY").says(channel, "How do I export my data?", ts)
    await desk.settled()
    assert len(desk.world.replies(channel, ts)) == 1
    await cleo.says(channel, "How do I export my data?", ts)
    assert "Export" in text_of(await desk.reply(channel, ts, 2))


async def test_the_same_text_is_kept_once_however_slack_tells_of_it(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    message = cleo.writes(help_channel, f"<@{BOT_USER}> {KNOWN}")
    event = cleo.event_of(help_channel, message)
    mention = cleo.event_of(help_channel, message, "app_mention")
    told = [cleo.tells(event, "Ev1"), cleo.tells(mention, "Ev2"), cleo.tells(event, "Ev1", retry=1)]
    await asyncio.gather(*told)
    await desk.reply(help_channel, message["ts"])
    await cleo.tells(event, "Ev1", retry=2)
    await desk.settled()
    assert len(desk.world.replies(help_channel, message["ts"])) == 1
    assert await customer_texts(desk, help_channel, message["ts"]) == [KNOWN]


async def test_top_level_messages_of_one_person_within_a_short_time_belong_together(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    first = await cleo.says(help_channel, "Hi, one question:")
    await cleo.says(help_channel, KNOWN)
    await desk.settled()
    assert await customer_texts(desk, help_channel, first) == ["Hi, one question:", KNOWN]
    other = await desk.person("UOTHER").says(help_channel, KNOWN)
    assert (await desk.conversation(help_channel, other)).customer.external_id == f"{TEAM}/UOTHER"


async def test_a_reply_that_overtakes_its_threads_first_message_joins_it(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    first = cleo.writes(help_channel, KNOWN)
    second = cleo.writes(help_channel, "I mean the one for the web shop", first["ts"])
    await cleo.tells(cleo.event_of(help_channel, second))
    await cleo.tells(cleo.event_of(help_channel, first))
    await desk.settled()
    assert set(await customer_texts(desk, help_channel, first["ts"])) == {KNOWN, "I mean the one for the web shop"}


async def test_direct_messages_are_answered_without_a_thread(desk: SlackDesk, cleo: Person) -> None:
    channel = f"D{cleo.user}"
    await cleo.says(channel, KNOWN)
    await desk.until(lambda: len(desk.world.messages[channel]) == 2)
    reply = desk.world.messages[channel][1]
    assert "thread_ts" not in reply
    assert "Forgot password" in text_of(reply)


async def test_the_assistant_pane_shows_slacks_own_status(desk: SlackDesk, cleo: Person) -> None:
    channel = f"D{cleo.user}"
    root = desk.world.post(channel, user=BOT_USER, text="Hello", bot_id="B1")["ts"]
    await cleo.says(channel, KNOWN, root)
    await desk.until(lambda: len(desk.world.thread(channel, root)) == 3)
    await desk.until(lambda: desk.world.statuses and desk.world.statuses[-1] == (channel, root, ""))
    assert any(status for _, thread, status in desk.world.statuses if thread == root)


async def test_an_assistant_thread_is_called_what_its_first_message_asks(desk: SlackDesk, cleo: Person) -> None:
    ts, pane = await cleo.opens_assistant(), f"D{cleo.user}"
    await cleo.says(pane, f"{KNOWN}\nI am in a hurry", ts)
    await desk.until(lambda: desk.world.titles.get((pane, ts)))
    await cleo.says(pane, "How do I export my data?", ts)
    await desk.settled()
    assert desk.world.titles[pane, ts] == KNOWN
    assert (
        len([1 for name, args in desk.world.calls if name == "assistant.threads.setTitle" and args["thread_ts"] == ts])
        == 1
    )


async def test_other_bots_and_its_own_messages_never_trigger_it(desk: SlackDesk, help_channel: str) -> None:
    robot = desk.person("UROBOT")
    for more in ({"bot_id": "B2"}, {"subtype": "bot_message", "bot_id": "B3"}, {"subtype": "channel_join"}):
        await robot.says(help_channel, KNOWN, **more)
    await desk.person(BOT_USER).says(help_channel, KNOWN)
    assert await quiet(desk, help_channel)


async def test_thanks_get_no_answer_from_the_knowledge_and_no_review(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    ts = await cleo.says(help_channel, KNOWN)
    await desk.reply(help_channel, ts)
    await cleo.says(help_channel, "thanks!", ts)
    await desk.settled()
    later = desk.world.replies(help_channel, ts)[1:]
    assert all("Sources" not in text_of(item) for item in later)
    conversation = await desk.conversation(help_channel, ts)
    assert conversation.status is ConversationStatus.OPEN


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF, None])
async def test_where_the_autopilot_does_not_speak_nothing_shows(
    desk: SlackDesk, cleo: Person, mode: Mode | None
) -> None:
    channel = await support(desk, mode)
    await cleo.says(channel, KNOWN)
    assert await quiet(desk, channel)
    assert not [key for key in desk.world.reactions if key[0] == channel]


async def test_in_draft_mode_every_reply_is_reviewed(desk: SlackDesk, cleo: Person) -> None:
    channel = await support(desk, Mode.DRAFT)
    seen = len(desk.world.messages[STAFF])
    ts = await cleo.says(channel, KNOWN)
    card = await desk.card(seen + 1)
    assert "Every reply is reviewed here." in text_of(card)
    await desk.staff.clicks(STAFF, card, "card_approve")
    await desk.until(lambda: "Forgot password" in "".join(map(text_of, desk.world.replies(channel, ts))))


async def test_a_waiting_draft_is_redrafted_when_the_customer_edits(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    ts = await cleo.says(help_channel, UNKNOWN)
    await desk.settled()
    await cleo.edits(help_channel, ts, KNOWN)
    await desk.until(lambda: "Forgot password" in "".join(map(text_of, desk.world.replies(help_channel, ts))))
    assert await customer_texts(desk, help_channel, ts) == [KNOWN]


async def test_a_waiting_draft_is_dropped_when_the_customer_deletes(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    seen = len(desk.world.messages[STAFF])
    ts = await cleo.says(help_channel, UNKNOWN)
    card = await desk.card(seen + 1)
    conversation = await desk.conversation(help_channel, ts)
    await cleo.deletes(help_channel, ts)
    await desk.until(lambda: "card_edit" not in str(card["blocks"]))
    review = await desk.process.store.conversations.reviews.of_conversation("demo", conversation.id)
    assert review
    assert review.status is ReviewStatus.SUPERSEDED


async def test_a_text_file_is_read_and_a_picture_goes_to_a_person(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    desk.world.files["question.txt"] = KNOWN.encode()
    url = f"{desk.slack.url}/files/question.txt"
    text_file = {"name": "question.txt", "mimetype": "text/plain", "size": 27, "url_private": url, "permalink": url}
    ts = await cleo.says(help_channel, "", subtype="file_share", files=[text_file])
    assert "Forgot password" in text_of(await desk.reply(help_channel, ts))
    picture = {"name": "shot.png", "mimetype": "image/png", "size": 9, "permalink": "https://acme.slack.com/files/1"}
    other = desk.person("UPICTURE")
    ts = await other.says(help_channel, KNOWN, subtype="file_share", files=[picture])
    await desk.settled()
    conversation = await desk.conversation(help_channel, ts)
    review = await desk.process.store.conversations.reviews.of_conversation("demo", conversation.id)
    assert review
    assert "file" in " ".join(review.held_because)
    (message, *_) = await desk.process.store.conversations.messages.of_conversation("demo", conversation.id)
    assert message.attachments[0].url == "https://acme.slack.com/files/1"


async def test_what_slack_is_slow_to_give_holds_no_acknowledgement(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    """The person's name and a file never come: the message is kept without them, the file as a link."""
    url = f"{desk.slack.url}/files/slow.txt"
    file = {"name": "slow.txt", "mimetype": "text/plain", "size": 27, "url_private": url, "permalink": url}
    desk.world.held |= {"slow.txt", "users.info"}
    try:
        ts = await cleo.says(help_channel, KNOWN, subtype="file_share", files=[file])
        conversation = await desk.conversation(help_channel, ts)
    finally:
        desk.world.held.clear()
    (message, *_) = await desk.process.store.conversations.messages.of_conversation("demo", conversation.id)
    assert (message.text, [item.name for item in message.attachments]) == (KNOWN, ["slow.txt"])


async def test_a_vote_is_kept_and_only_the_voter_is_thanked(desk: SlackDesk, help_channel: str, cleo: Person) -> None:
    ts = await cleo.says(help_channel, KNOWN)
    reply = await desk.reply(help_channel, ts)
    await desk.person("UPASSERBY").clicks(help_channel, reply, "vote_down")
    await cleo.clicks(help_channel, reply, "vote_up")
    await desk.until(lambda: [w for w in desk.world.ephemerals if w["user"] == cleo.user])
    assert "Only the person who asked" in str([w for w in desk.world.ephemerals if w["user"] == "UPASSERBY"])
    conversation = await desk.conversation(help_channel, ts)
    said = await desk.process.store.conversations.messages.of_conversation("demo", conversation.id)
    assert said[-1].vote == "up"


async def test_talk_to_a_person_hands_over_and_solved_resolves(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    ts = await cleo.says(help_channel, KNOWN)
    reply = await desk.reply(help_channel, ts)
    await cleo.clicks(help_channel, reply, "person")
    await desk.reply(help_channel, ts, 2)
    assert (await desk.conversation(help_channel, ts)).status is ConversationStatus.ASSIGNED
    await cleo.clicks(help_channel, reply, "solved")
    assert (await desk.conversation(help_channel, ts)).status is ConversationStatus.RESOLVED


async def test_a_follow_up_is_asked_by_a_press_and_answered_once(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    ts = await cleo.says(help_channel, "Which browsers are supported?")
    reply = await desk.reply(help_channel, ts)
    conversation = await desk.conversation(help_channel, ts)
    value = f"{conversation.id}:How do I export my data?"
    button = {**button_of(reply, "solved"), "action_id": "follow_up_0", "value": value}
    pressed = {**reply, "blocks": [{"type": "actions", "block_id": "f", "elements": [button]}]}
    await cleo.clicks(help_channel, pressed, "follow_up_0")
    await desk.until(lambda: "Export" in "".join(map(text_of, desk.world.replies(help_channel, ts))))
    assert "asks: How do I export my data?" in "".join(map(text_of, desk.world.replies(help_channel, ts)))


async def test_sources_open_in_a_dialog(desk: SlackDesk, help_channel: str, cleo: Person) -> None:
    ts = await cleo.says(help_channel, KNOWN)
    reply = await desk.reply(help_channel, ts)
    assert "Sources:" in text_of(reply)
    await cleo.clicks(help_channel, reply, "sources")
    assert "How do I reset my password?" in str(desk.world.views[-1]["blocks"])


async def test_the_first_decision_wins_and_the_second_is_told_who_was_first(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    seen = len(desk.world.messages[STAFF])
    await cleo.says(help_channel, UNKNOWN)
    card = dict(await desk.card(seen + 1))
    await desk.staff.clicks(STAFF, card, "card_take_over")
    await desk.until(lambda: "took over" in text_of(desk.world.messages[STAFF][seen]))
    before = len(desk.world.ephemerals)
    await desk.staff.clicks(STAFF, card, "card_take_over")
    await desk.until(lambda: len(desk.world.ephemerals) > before)
    assert "Already handled by Alex Agent" in desk.world.ephemerals[-1]["text"]


async def test_every_copy_of_a_card_says_who_decided(desk: SlackDesk, help_channel: str, cleo: Person) -> None:
    place = Place("demo", "slack", TEAM, "CSTAFF2", is_staff=True)
    await desk.process.store.channels.places.keep(place)
    try:
        await cleo.says(help_channel, "Does the moon base have a pool?")
        # The new place gets the cards of every review that still waits.
        first, second = [await desk.until(partial(about_pool, desk, where)) for where in (STAFF, "CSTAFF2")]
        await desk.staff.clicks("CSTAFF2", second, "card_take_over")
        for card in (first, second):
            await desk.until(partial(said_who, card))
            assert "card_take_over" not in str(card["blocks"])
    finally:
        await desk.process.store.channels.places.keep(replace(place, is_staff=False))


def about_pool(desk: SlackDesk, place: str) -> dict[str, Any] | None:
    return next((card for card in desk.world.messages[place] if "pool" in text_of(card)), None)


def said_who(card: dict[str, Any]) -> bool:
    return "Alex Agent took over" in text_of(card)


async def test_a_card_that_slack_refused_for_now_is_posted_soon_after(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    ts = await cleo.says(help_channel, KNOWN)
    await desk.reply(help_channel, ts)
    seen = len(desk.world.messages[STAFF])
    desk.world.faults["chat.postMessage"].extend(["429", "429"])
    await cleo.says(help_channel, UNKNOWN, ts)
    assert "moon base" in text_of(await desk.card(seen + 1))
    await desk.reply(help_channel, ts, 2)


async def test_only_linked_members_decide(desk: SlackDesk, help_channel: str, cleo: Person) -> None:
    seen = len(desk.world.messages[STAFF])
    await cleo.says(help_channel, UNKNOWN)
    card = await desk.card(seen + 1)
    before = len(desk.world.ephemerals)
    await desk.person("USTRANGER").clicks(STAFF, card, "card_take_over")
    await desk.until(lambda: len(desk.world.ephemerals) > before)
    assert "not linked" in desk.world.ephemerals[-1]["text"]
    assert "card_take_over" in str(card["blocks"])


async def test_the_command_tells_asks_and_takes_over(desk: SlackDesk, help_channel: str, cleo: Person) -> None:
    ts = await cleo.says(help_channel, KNOWN)
    await desk.reply(help_channel, ts)
    assert "How do I reset" in await cleo.commands(help_channel, "status")
    assert "with people" in await desk.staff.commands(help_channel, "status")
    assert "*Forgot password*" in await cleo.commands(help_channel, f"ask {KNOWN}")
    assert "not linked" in await cleo.commands(help_channel, "takeover")
    assert "You have it now" in await desk.staff.commands(help_channel, "takeover")
    assert (await desk.conversation(help_channel, ts)).assignee_name == "Alex Agent"
    assert "Marked as resolved" in await desk.staff.commands(help_channel, "resolve")
    assert "0 open conversations" in await desk.staff.commands(help_channel, "takeover")
    assert "/deskhand status" in await cleo.commands(help_channel, "dance")


async def test_home_shows_customers_their_conversations_and_staff_the_queue(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    await cleo.says(help_channel, UNKNOWN)
    await desk.settled()
    for person, expected in ((cleo, "Your conversations"), (desk.staff, "card_edit")):
        await person.opens_home()
        await desk.until(partial(desk.world.homes.get, person.user))
        assert expected in str(desk.world.homes[person.user])


async def test_a_delivery_whose_answer_was_lost_is_found_again_and_not_repeated(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    desk.world.faults["chat.postMessage"].append("lose the answer")
    ts = await cleo.says(help_channel, KNOWN)
    await desk.reply(help_channel, ts)
    await desk.settled()
    assert len(desk.world.replies(help_channel, ts)) == 1
    assert "conversations.replies" in [name for name, _ in desk.world.calls]


@pytest.mark.parametrize("fault", ["429", "503", "internal_error"])
async def test_a_refused_delivery_is_tried_again_until_it_is_there(
    desk: SlackDesk, help_channel: str, cleo: Person, fault: str
) -> None:
    desk.world.faults["chat.postMessage"].extend([fault, fault])  # type: ignore[list-item]
    ts = await cleo.says(help_channel, KNOWN)
    await desk.reply(help_channel, ts)
    await desk.settled()
    assert len(desk.world.replies(help_channel, ts)) == 1


async def test_a_rate_limit_that_lasts_longer_than_all_tries_loses_no_reply(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    tries = desk.process.settings.jobs.max_attempts + 1
    desk.world.faults["chat.postMessage"].extend(["429"] * tries)
    ts = await cleo.says(help_channel, KNOWN)
    await desk.until(lambda: desk.world.replies(help_channel, ts), 30)
    assert not desk.world.faults["chat.postMessage"]


async def test_a_long_unsafe_reply_is_split_and_calls_nobody(desk: SlackDesk, help_channel: str, cleo: Person) -> None:
    seen = len(desk.world.messages[STAFF])
    ts = await cleo.says(help_channel, UNKNOWN)
    card = await desk.card(seen + 1)
    await desk.staff.clicks(STAFF, card, "card_edit")
    unsafe = "<!channel> @here <@U1> & more. " * 90
    await desk.staff.submits(desk.world.views[-1], unsafe)
    reply = await desk.reply(help_channel, ts, 2)
    sections = [block["text"]["text"] for block in reply["blocks"] if block["type"] == "section"]
    assert len(sections) > 1
    assert all(len(text) < 3000 for text in sections)
    assert not [text for text in sections if "<!" in text or "<@" in text or "@here" in text]


async def test_a_connection_that_slack_renews_or_cuts_loses_nothing(
    desk: SlackDesk, help_channel: str, cleo: Person
) -> None:
    connections = desk.slack.connections
    await desk.slack.renew()
    await desk.until(lambda: desk.slack.connections > connections)
    ts = await cleo.says(help_channel, KNOWN)
    await desk.reply(help_channel, ts)
    state = desk.process.states.of("slack")
    assert state.connected_since
    assert state.last_event_at


async def test_a_team_without_a_workspace_is_not_served(desk: SlackDesk, cleo: Person) -> None:
    stranger = replace(cleo, team="TSTRANGER")
    message = stranger.writes("CX", f"<@{BOT_USER}> {KNOWN}")
    await desk.slack.send_only(
        {"type": "events_api", "envelope_id": "e", "payload": stranger.envelope(stranger.event_of("CX", message))}
    )
    await asyncio.sleep(0.2)
    assert await quiet(desk, "CX")
