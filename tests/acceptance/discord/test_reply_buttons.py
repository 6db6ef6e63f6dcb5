"""Buttons and slash commands: answered within three seconds, seen by who used them, alive after a restart."""

from pathlib import Path

import pytest

from graph.triage.classifier import Classifier
from storage.embeddings.protocol import Embedder
from storage.records import Author, ConversationStatus, Mode
from tests.simulators.discord.desk import (
    DiscordDesk,
    Server,
    found,
    running_desk,
)
from tests.simulators.discord.people import labels_of
from tests.simulators.discord.world import PRIVATE_THREAD, Payload

pytest_plugins = ["tests.simulators.discord.fixtures"]

QUESTION = "How do I reset my password?"


async def answered(desk: DiscordDesk) -> Payload:
    """The bot's reply in a forum post of Ann's."""
    post = desk.server.ann.post(desk.server.forum, "Passwords", QUESTION)
    return (await desk.said(post))[0]


async def test_a_vote_is_thanked_to_the_voter_only_and_may_be_changed(desk: DiscordDesk) -> None:
    reply = await answered(desk)
    thanks = await desk.server.ann.click(reply, "👍")
    assert "Thanks for your vote" in await thanks.told()
    assert thanks.is_ephemeral
    assert thanks.took < 3
    await (await desk.server.ann.click(reply, "👎")).told()
    votes = [message.vote for message in await desk.messages(reply["channel_id"]) if message.author is Author.BOT]
    assert votes == ["down"]
    assert len(desk.simulator.said_by_bot(reply["channel_id"])) == 1


async def test_nobody_else_votes(desk: DiscordDesk) -> None:
    reply = await answered(desk)
    refusal = await desk.server.carl.click(reply, "👍")
    assert "Only the person who asked" in await refusal.told()
    assert [message.vote for message in await desk.messages(reply["channel_id"])] == [None, None]


async def test_talk_to_a_person_hands_the_conversation_over(desk: DiscordDesk) -> None:
    reply = await answered(desk)
    await (await desk.server.ann.click(reply, "Talk to a person")).told()
    assert (await desk.conversation(reply["channel_id"])).status is ConversationStatus.ASSIGNED
    assert "a person from our team" in (await desk.said(reply["channel_id"], 2))[-1]["content"]


async def test_solved_settles_the_matter_and_a_new_question_opens_it_again(desk: DiscordDesk) -> None:
    reply = await answered(desk)
    await (await desk.server.ann.click(reply, "Solved")).told()
    thread = desk.simulator.world.channels[reply["channel_id"]]
    assert (await desk.conversation(thread)).status is ConversationStatus.RESOLVED
    desk.server.ann.say(thread, "Which browsers are supported?")
    assert "Chrome" in (await desk.said(thread, 2))[-1]["content"]


async def test_a_follow_up_is_asked_once_however_often_it_is_pressed(desk: DiscordDesk) -> None:
    near = b"question,answer\nHow do I change my password?,Open Settings and choose Security.\n"
    document = await desk.store.knowledge.catalogue.create("demo", "near.csv", near)
    await desk.store.knowledge.catalogue.load_document(document.id)
    reply = await answered(desk)
    follow_up = labels_of(reply)[4]
    assert follow_up in await (await desk.server.ann.click(reply, follow_up)).told()
    await (await desk.server.ann.click(reply, follow_up)).told()
    said = await desk.said(reply["channel_id"], 3)
    await desk.process.jobs.idle()
    assert [message["content"] for message in said[1:2]] == [f"> {follow_up}"]
    assert len(desk.simulator.said_by_bot(reply["channel_id"])) == 3


async def test_buttons_and_forms_survive_a_restart(
    simulated: Server, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier
) -> None:
    async with running_desk(simulated, tmp_path, embedder, warm_classifier) as desk:
        await desk.connected()
        reply = await answered(desk)
        refund = simulated.ann.post(simulated.forum, "Refund", "I want my money back, refund me now")
        (card,) = await desk.said(simulated.staff_room)
        form = await simulated.sue.click(card, "Edit")
    async with running_desk(simulated, tmp_path, embedder, warm_classifier) as desk:
        await desk.connected()
        assert "Thanks" in await (await simulated.ann.click(reply, "👍")).told()
        await simulated.sue.submit(form, text="After the restart.")
        assert "After the restart." in (await desk.said(refund, 2))[-1]["content"]


async def test_ask_answers_only_who_asked_with_the_sources(desk: DiscordDesk) -> None:
    answer = await desk.server.carl.command(desk.server.general, "ask", question=QUESTION)
    assert answer.kind == 5
    assert "Forgot password" in await answer.told()
    assert answer.is_ephemeral
    assert answer.shown[0]["embeds"][0]["title"] == "Sources"
    assert desk.simulator.messages(desk.server.general) == []


@pytest.mark.parametrize("mode", [Mode.DRAFT, Mode.OFF, Mode.SHADOW])
async def test_ask_shows_no_draft_that_a_person_would_have_to_see(desk: DiscordDesk, mode: Mode) -> None:
    await desk.store.accounts.workspaces.change_settings(desk.agent, mode=mode)
    answer = await desk.server.carl.command(desk.server.general, "ask", question=QUESTION)
    assert "/support" in await answer.told()


async def test_support_opens_a_private_thread_with_the_question(desk: DiscordDesk) -> None:
    answer = await desk.server.carl.command(desk.server.general, "support", question=QUESTION)
    await answer.told()
    world = desk.simulator.world
    (thread,) = [channel for channel in world.channels.values() if channel["type"] == PRIVATE_THREAD]
    assert world.thread_members[thread["id"]] == {world.bot["id"], desk.server.carl.id}
    said = await desk.said(thread, 2)
    assert said[0]["content"] == f"> {QUESTION}"
    assert "Forgot password" in said[1]["content"]


async def test_support_without_a_question_asks_for_it(desk: DiscordDesk) -> None:
    await (await desk.server.carl.command(desk.server.general, "support")).told()
    thread = next(channel for channel in desk.simulator.world.channels.values() if channel["type"] == PRIVATE_THREAD)
    await desk.said(thread)
    desk.server.carl.say(thread, QUESTION)
    assert "Forgot password" in (await desk.said(thread, 2))[-1]["content"]


async def test_status_tells_customers_theirs_and_the_team_the_queue(desk: DiscordDesk) -> None:
    desk.server.ann.post(desk.server.forum, "Refund", "I want my money back, refund me now")
    await desk.said(desk.server.staff_room)
    mine = await (await desk.server.ann.command(desk.server.general, "status")).told()
    assert "Refund" in mine
    assert "a person is looking at it" in mine
    assert "no open conversation" in await (await desk.server.carl.command(desk.server.general, "status")).told()
    assert "1 draft waits for a decision" in await (await desk.server.sue.command(desk.server.general, "status")).told()


async def test_take_over_hand_back_and_resolve_are_the_teams(desk: DiscordDesk) -> None:
    reply = await answered(desk)
    thread, sue, ann, carl = (
        desk.simulator.world.channels[reply["channel_id"]],
        desk.server.sue,
        desk.server.ann,
        desk.server.carl,
    )
    assert "Only the team" in await (await ann.command(thread, "takeover")).told()
    assert "You have this conversation" in await (await sue.command(thread, "takeover")).told()
    assert (await desk.conversation(thread)).assignee_name == "Sue"
    assert "bot answers again" in await (await sue.command(thread, "handback")).told()
    assert "Only the team" in await (await carl.command(thread, "resolve")).told()
    assert "Marked as solved" in await (await ann.command(thread, "resolve")).told()
    assert "no support conversation" in await (await sue.command(desk.server.general, "takeover")).told()


async def test_an_agent_replies_from_the_desk_into_the_thread(desk: DiscordDesk) -> None:
    reply = await answered(desk)
    conversation = await desk.conversation(reply["channel_id"])
    await desk.process.desk.take_over(desk.agent, conversation.id)
    await desk.process.desk.reply(desk.agent, conversation.id, "Let me look.")
    said = await desk.said(reply["channel_id"], 2)
    assert said[-1]["content"] == "**Alex Agent:**\nLet me look."
    assert labels_of(said[-1]) == ["👍", "👎", "Solved"]

    async def votes() -> bool:
        await (await desk.server.ann.click(said[-1], "👍")).told()
        return any(message.vote for message in await desk.messages(reply["channel_id"]))

    assert await found(votes, "the vote")
