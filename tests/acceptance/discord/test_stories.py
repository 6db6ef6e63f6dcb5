"""The five stories through Discord: known, unknown then edited, rejected then redrafted, taken over, stale."""

from storage.records import (
    Author,
    ConversationStatus,
    Decision,
    DecisionKind,
    Mode,
    Review,
    ReviewStatus,
)
from tests.simulators.discord.desk import DiscordDesk, found
from tests.simulators.discord.interactions import Interaction
from tests.simulators.discord.people import labels_of
from tests.simulators.discord.world import Payload
from tests.support.waiting import until_true

pytest_plugins = ["tests.simulators.discord.fixtures"]

REFUND = "I want my money back, refund me now"


async def pending(desk: DiscordDesk, version: int = 1) -> Review:
    async def look() -> Review | None:
        page = await desk.store.conversations.reviews.page("demo", ReviewStatus.PENDING)
        return next((review for review in page.items if review.version == version), None)

    return await found(look, f"a pending review, version {version}")


async def card(desk: DiscordDesk, count: int = 1) -> Payload:
    return (await desk.said(desk.server.staff_room, count))[-1]


async def decided(desk: DiscordDesk, shown: Payload, by: str) -> None:
    """The card says who did what, and cannot be decided again."""

    def is_so() -> bool:
        message = desk.simulator.world.messages[shown["channel_id"]][shown["id"]]
        return not message["components"] and by in message["embeds"][1]["footer"]["text"]

    await until_true(is_so, f"the card to say {by}")


async def edit_on_card(desk: DiscordDesk, shown: Payload, text: str) -> Interaction:
    form = await desk.server.sue.click(shown, "Edit")
    return await desk.server.sue.submit(form, text=text)


async def test_a_known_question_is_answered_in_its_thread_with_its_source(desk: DiscordDesk) -> None:
    question = desk.server.ann.mention(desk.server.general, "How do I reset my password?")
    (reply,) = await desk.said(question["id"])
    assert "Forgot password" in reply["content"]
    assert reply["embeds"][0]["title"] == "Sources"
    assert labels_of(reply)[:4] == ["👍", "👎", "Talk to a person", "Solved"]
    assert desk.simulator.said_by_bot(desk.server.general) == []
    assert desk.simulator.world.channels[question["id"]]["name"] == "How do I reset my password?"


async def test_an_unknown_question_is_edited_at_the_desk_and_answered(desk: DiscordDesk) -> None:
    post = desk.server.ann.post(desk.server.forum, "Teapots", "Does your product brew tea on the moon?")
    review = await pending(desk)
    shown = await card(desk)
    assert "brew tea" in shown["embeds"][0]["description"]
    decision = Decision(kind=DecisionKind.EDIT, text="Not yet, sorry.")
    await desk.process.desk.decide(desk.agent, review.id, decision, based_on=review.version)
    replies = await desk.said(post, 2)
    assert replies[-1]["content"] == "**Alex Agent:**\nNot yet, sorry."
    await decided(desk, shown, "Edited and sent by Alex Agent")


async def test_an_unknown_question_is_edited_on_the_card_and_answered(desk: DiscordDesk) -> None:
    post = desk.server.ann.post(desk.server.forum, "Teapots", "Does your product brew tea on the moon?")
    shown = await card(desk)
    await edit_on_card(desk, shown, "Only on Mars.")
    replies = await desk.said(post, 2)
    assert replies[-1]["content"] == "**Sue:**\nOnly on Mars."
    await decided(desk, shown, "Edited and sent by Sue")


async def test_a_draft_rejected_on_the_card_comes_back_as_another_card(desk: DiscordDesk) -> None:
    await desk.store.accounts.workspaces.change_settings(desk.agent, mode=Mode.DRAFT)
    desk.server.ann.post(desk.server.forum, "Passwords", "How do I reset my password?")
    shown = await card(desk)
    form = await desk.server.sue.click(shown, "Reject…")
    await desk.server.sue.submit(form, text="Say it shorter.")
    review = await pending(desk, version=2)
    await decided(desk, shown, "Sent back with guidance by Sue: Say it shorter.")
    again = await card(desk, 2)
    assert again["embeds"][1]["title"] == "Draft, version 2"
    assert review.version == 2


async def test_a_draft_rejected_at_the_desk_comes_back_on_a_card_and_is_written_there(desk: DiscordDesk) -> None:
    await desk.store.accounts.workspaces.change_settings(desk.agent, mode=Mode.DRAFT)
    post = desk.server.ann.post(desk.server.forum, "Passwords", "How do I reset my password?")
    first, _ = await pending(desk), await card(desk)
    guidance = Decision(kind=DecisionKind.REJECT, guidance="Say more.")
    await desk.process.desk.decide(desk.agent, first.id, guidance, based_on=1)
    again = await card(desk, 2)
    # Without a chat model there is no other wording: a person has to write it.
    assert labels_of(again) == ["Edit", "Reject…", "Take over"]
    await edit_on_card(desk, again, "Written by hand.")
    assert "Written by hand." in (await desk.said(post, 2))[-1]["content"]
    await decided(desk, again, "Edited and sent by Sue")


async def test_a_draft_is_approved_on_its_card_and_sent_as_it_is(desk: DiscordDesk) -> None:
    await desk.store.accounts.workspaces.change_settings(desk.agent, mode=Mode.DRAFT)
    post = desk.server.ann.post(desk.server.forum, "Passwords", "How do I reset my password?")
    shown = await card(desk)
    await desk.server.sue.click(shown, "Approve")
    assert "Forgot password" in (await desk.said(post, 2))[-1]["content"]
    await decided(desk, shown, "Approved by Sue")


async def test_only_the_team_can_decide_on_a_card(desk: DiscordDesk) -> None:
    desk.server.ann.post(desk.server.forum, "Refund", REFUND)
    shown = await card(desk)
    answer = await desk.server.carl.click(shown, "Take over")
    assert "Only the team" in await answer.told()
    assert answer.is_ephemeral
    await desk.server.sue.click(shown, "Take over")
    await decided(desk, shown, "Taken over by Sue")


async def test_staff_who_write_in_the_thread_take_it_over_until_they_hand_it_back(desk: DiscordDesk) -> None:
    sue, ann = desk.server.sue, desk.server.ann
    post = ann.post(desk.server.forum, "Refund", REFUND)
    shown = await card(desk)
    sue.say(post, "I am on it.")

    async def taken() -> bool:
        return (await desk.conversation(post)).status is ConversationStatus.ASSIGNED

    await found(taken, "the take-over")
    await decided(desk, shown, "A person has taken the conversation over")
    said = len(desk.simulator.said_by_bot(post))
    ann.say(post, "How do I reset my password?")
    await desk.process.jobs.idle()
    assert len(desk.simulator.said_by_bot(post)) == said
    assert (await desk.conversation(post)).assignee_name == "Sue"
    handed = await sue.command(post, "handback")
    assert "bot answers again" in await handed.told()
    assert "Forgot password" in (await desk.said(post, said + 1))[-1]["content"]
    authors = [message.author for message in await desk.messages(post)]
    assert authors == [Author.CUSTOMER, Author.SYSTEM, Author.AGENT, Author.CUSTOMER, Author.BOT]


async def test_a_decision_on_a_card_that_the_customer_has_overtaken_is_stale(desk: DiscordDesk) -> None:
    ann, sue = desk.server.ann, desk.server.sue
    post = ann.post(desk.server.forum, "Refund", REFUND)
    shown = await card(desk)
    form = await sue.click(shown, "Edit")
    ann.say(post, "And a complaint: your service is terrible!")
    await card(desk, 2)
    answer = await sue.submit(form, text="Too late.")
    assert "wrote more" in await answer.told()
    assert all("Too late" not in text for text in desk.simulator.texts(post))
    await decided(desk, shown, "out of date")


async def test_the_first_decision_wins_and_the_second_hears_who_was_first(desk: DiscordDesk) -> None:
    desk.server.ann.post(desk.server.forum, "Refund", REFUND)
    review, shown = await pending(desk), await card(desk)
    form = await desk.server.sue.click(shown, "Edit")
    decision = Decision(kind=DecisionKind.EDIT, text="First.")
    await desk.process.desk.decide(desk.agent, review.id, decision, based_on=1)
    answer = await desk.server.sue.submit(form, text="Second.")
    assert "Already handled by Alex Agent" in await answer.told()
