"""The five stories of a support desk, told through Slack over both of its transports."""

from collections.abc import AsyncIterator

import pytest

from storage.errors import StaleError
from storage.records import ConversationStatus, Decision, DecisionKind
from storage.settings import Settings
from tests.simulators.slack.desk import HELP, SlackDesk, open_slack_desk
from tests.simulators.slack.server import running_slack
from tests.simulators.slack.world import text_of

KNOWN, UNKNOWN = "How do I reset my password?", "Does the moon base have parking?"


@pytest.fixture(params=["socket mode", "http events"])
async def desk(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[SlackDesk]:
    async with running_slack() as slack:
        over_socket = request.param == "socket mode"
        async with open_slack_desk(settings, slack, over_socket=over_socket) as desk:
            yield desk


async def test_a_known_question_is_answered_in_its_thread(desk: SlackDesk) -> None:
    desk.world.names["UCLEO"] = "Cleo"
    ts = await desk.person("UCLEO").says(HELP, KNOWN)
    reply = await desk.reply(HELP, ts)
    assert reply["thread_ts"] == ts
    assert "*Forgot password*" in text_of(reply)
    assert "👍" in text_of(reply)
    await desk.settled()
    assert not desk.world.reactions
    assert ("reactions.add", HELP) in [(name, args.get("channel")) for name, args in desk.world.calls]
    assert (await desk.conversation(HELP, ts)).customer.name == "Cleo"


async def test_an_unknown_question_waits_and_the_agents_edit_on_the_card_is_sent(desk: SlackDesk) -> None:
    ts = await desk.person("UCLEO").says(HELP, UNKNOWN)
    notice = await desk.reply(HELP, ts)
    assert "a person from our team" in text_of(notice)
    card = await desk.card()
    assert "moon base" in text_of(card)
    await desk.staff.clicks("CSTAFF", card, "card_edit")
    assert await desk.staff.submits(desk.world.views[-1], "Yes, on *level 2*.") == {}
    reply = await desk.reply(HELP, ts, 2)
    assert "Yes, on _level 2_." in text_of(reply)
    assert "Alex Agent" in text_of(reply)
    await desk.until(lambda: "Alex Agent edited and sent" in text_of(card))
    assert "card_approve" not in str(card["blocks"])


async def test_what_is_decided_at_the_desk_shows_in_the_thread_and_on_the_card(desk: SlackDesk) -> None:
    """Unknown and edited, then stale, then rejected, all in the workbench."""
    cleo, decide = desk.person("UCLEO"), desk.process.desk.decide
    ts = await cleo.says(HELP, UNKNOWN)
    card = await desk.card()
    review = await desk.review()
    await decide(desk.agent, review.id, Decision(kind=DecisionKind.EDIT, text="On level 2."), based_on=1)
    assert "On level 2." in text_of(await desk.reply(HELP, ts, 2))
    await desk.until(lambda: "Alex Agent edited and sent" in text_of(card))
    await cleo.says(HELP, "I want a refund, which browsers do you support?", ts)
    old = await desk.card(2)
    review = await desk.review()
    await cleo.says(HELP, "And my money back for last year", ts)
    with pytest.raises(StaleError):
        await decide(desk.agent, review.id, Decision(kind=DecisionKind.APPROVE), based_on=review.version)
    await desk.until(lambda: "out of date" in text_of(old))
    waiting = await desk.card(3)
    review = await desk.review()
    guidance = Decision(kind=DecisionKind.REJECT, guidance="Explain how to export data")
    await decide(desk.agent, review.id, guidance, based_on=review.version)
    await desk.until(lambda: "Alex Agent rejected: Explain how to export data" in text_of(waiting))
    assert "card_reject" in str((await desk.card(4))["blocks"])


async def test_a_rejected_draft_is_made_again_and_the_new_one_approved_at_the_desk(desk: SlackDesk) -> None:
    ts = await desk.person("UCLEO").says(HELP, "I want a refund, which browsers do you support?")
    card = await desk.card()
    await desk.staff.clicks("CSTAFF", card, "card_reject")
    await desk.staff.submits(desk.world.views[-1], "Explain how to export data")
    second = await desk.card(2)
    await desk.until(lambda: "Alex Agent rejected" in text_of(card))
    review = await desk.review()
    assert review.version == 2
    await desk.process.desk.decide(desk.agent, review.id, Decision(kind=DecisionKind.APPROVE), based_on=2)
    reply = await desk.reply(HELP, ts, 2)
    assert review.draft.text.split()[0].strip("*") in text_of(reply)
    await desk.until(lambda: "Alex Agent approved" in text_of(second))


async def test_staff_who_write_in_the_thread_take_over_until_they_hand_back(desk: SlackDesk) -> None:
    cleo = desk.person("UCLEO")
    ts = await cleo.says(HELP, UNKNOWN)
    card = await desk.card()
    await desk.reply(HELP, ts)
    await desk.staff.says(HELP, "Let me check that for you.", ts)
    conversation = await desk.conversation(HELP, ts)
    assert (conversation.status, conversation.assignee_name) == (ConversationStatus.ASSIGNED, "Alex Agent")
    await desk.until(lambda: "taken the conversation over" in text_of(card))
    await cleo.says(HELP, KNOWN, ts)
    await desk.settled()
    assert len(desk.world.replies(HELP, ts)) == 1
    said = await desk.process.store.conversations.messages.of_conversation("demo", conversation.id)
    assert [(item.author, item.text) for item in said][-2:] == [
        ("agent", "Let me check that for you."),
        ("customer", KNOWN),
    ]
    link = f"https://acme.slack.com/archives/{HELP}/p{ts.replace('.', '')}"
    assert "bot has it again" in await desk.staff.commands(HELP, f"handback {link}")
    assert "Forgot password" in text_of(await desk.reply(HELP, ts, 2))


async def test_a_decision_on_a_draft_that_newer_words_have_overtaken_is_stale(desk: SlackDesk) -> None:
    cleo = desk.person("UCLEO")
    ts = await cleo.says(HELP, UNKNOWN)
    card = await desk.card()
    await desk.staff.clicks("CSTAFF", card, "card_edit")
    view = desk.world.views[-1]
    await cleo.says(HELP, "I mean the one on Mars, does it have parking?", ts)
    answer = await desk.staff.submits(view, "Yes.")
    assert answer["response_action"] == "errors"
    assert "Mars" in answer["errors"]["words"]
    await desk.until(lambda: "out of date" in text_of(card))
    assert "Mars" in text_of(await desk.card(2))
    assert all("Yes." not in text_of(item) for item in desk.world.replies(HELP, ts))
