"""Who is heard where on Discord, and what becomes of it."""

import asyncio
import copy

from storage.records import Author, ConversationStatus, Visibility
from tests.simulators.discord.desk import DiscordDesk, found
from tests.simulators.discord.people import labels_of
from tests.support.rows import audit_trail
from tests.support.waiting import until_true

pytest_plugins = ["tests.simulators.discord.fixtures"]

PASSWORD_QUESTION = "How do I reset my password?"


async def quiet(desk: DiscordDesk) -> None:
    """Give what should not happen a moment to happen."""
    await asyncio.sleep(0.3)
    await desk.process.jobs.idle()


async def test_only_mentions_are_heard_in_an_ordinary_channel(desk: DiscordDesk) -> None:
    desk.server.ann.say(desk.server.general, PASSWORD_QUESTION)
    desk.server.ann.say(desk.server.general, "@everyone lunch?", mention_everyone=True)
    await quiet(desk)
    assert (await desk.store.conversations.reading.page("demo")).items == ()


async def test_a_mention_alone_is_asked_for_its_question(desk: DiscordDesk) -> None:
    mention = desk.server.ann.mention(desk.server.general, "")
    (invitation,) = await desk.said(mention["id"])
    assert "Write your question" in invitation["content"]
    thread = desk.simulator.world.channels[mention["id"]]
    desk.server.ann.say(thread, PASSWORD_QUESTION)
    assert "Forgot password" in (await desk.said(thread, 2))[-1]["content"]


async def test_a_thread_it_serves_needs_no_mention_and_hears_its_owner_only(desk: DiscordDesk) -> None:
    mention = desk.server.ann.mention(desk.server.general, PASSWORD_QUESTION)
    await desk.said(mention["id"])
    thread = desk.simulator.world.channels[mention["id"]]
    desk.server.carl.say(thread, "How do I export my data?")
    desk.server.ann.say(thread, "Which browsers are supported?")
    replies = await desk.said(thread, 2)
    await quiet(desk)
    assert "Chrome" in replies[-1]["content"]
    customers = [message.text for message in await desk.messages(thread) if message.author is Author.CUSTOMER]
    assert customers == [PASSWORD_QUESTION, "Which browsers are supported?"]


async def test_a_reply_to_the_bot_needs_no_mention(desk: DiscordDesk) -> None:
    world = desk.simulator.world
    remark = world.add_message(desk.server.general["id"], world.bot["id"], "Hello!")
    reply = desk.server.ann.reply(remark, PASSWORD_QUESTION)
    assert "Forgot password" in (await desk.said(reply["id"]))[0]["content"]


async def test_other_bots_and_webhooks_and_system_lines_are_not_heard(desk: DiscordDesk) -> None:
    world, forum = desk.simulator.world, desk.server.forum
    other = world.add_user("otherbot", bot=True)
    desk.server.guild.members[other["id"]] = []
    post = world.add_thread(forum, other["id"], "Automatic")
    world.announce_thread(post)
    world.add_message(post["id"], other["id"], PASSWORD_QUESTION, id=post["id"])
    world.add_message(desk.server.general["id"], desk.server.ann.id, f"<@{world.bot['id']}> hi", webhook_id="1")
    world.add_message(desk.server.general["id"], desk.server.ann.id, f"<@{world.bot['id']}> pinned", type=6)
    await quiet(desk)
    assert (await desk.store.conversations.reading.page("demo")).items == ()


async def test_title_and_tags_of_a_post_count(desk: DiscordDesk) -> None:
    post = desk.server.ann.post(desk.server.forum, "Password lost", "How can I get in again?", "billing")
    await desk.said(post)
    conversation = await desk.conversation(post)
    (question, *_) = await desk.messages(post)
    assert conversation.subject == "Password lost"
    assert question.text == "Password lost\n\nHow can I get in again?\n\nTags: billing"


async def test_the_tags_of_a_post_follow_the_conversation_and_lead_it(desk: DiscordDesk) -> None:
    post = desk.server.ann.post(desk.server.forum, "Refund", "I want my money back, refund me now", "billing")
    names = {tag["id"]: tag["name"] for tag in desk.server.forum["available_tags"]}

    def tags() -> list[str]:
        return [names[tag] for tag in post["applied_tags"]]

    await until_true(lambda: tags() == ["Needs human", "billing"], "the tag for a person")
    await desk.process.desk.resolve("demo", (await desk.conversation(post)).id)
    await until_true(lambda: tags() == ["Solved", "billing"], "the tag for solved")
    desk.server.ann.say(post, PASSWORD_QUESTION)
    await until_true(lambda: tags() == ["billing"], "no tag of the desk's")
    solved = next(id_ for id_, name in names.items() if name == "Solved")
    desk.simulator.world.change_channel(post["id"], {"applied_tags": [*post["applied_tags"], solved]})

    async def settled() -> bool:
        return (await desk.conversation(post)).status is ConversationStatus.RESOLVED

    await found(settled, "the conversation to be resolved by its tag")


async def test_the_desk_s_own_solved_tag_settles_no_question_that_came_before_its_event(desk: DiscordDesk) -> None:
    post = desk.server.ann.post(desk.server.forum, "Passwords", PASSWORD_QUESTION)
    await desk.said(post)
    conversation, gateway = await desk.conversation(post), desk.simulator.gateway
    names = {tag["id"]: tag["name"] for tag in desk.server.forum["available_tags"]}
    gateway.hold()
    await desk.process.desk.resolve("demo", conversation.id)
    await until_true(lambda: "Solved" in [names[tag] for tag in post["applied_tags"]], "the tag for solved")
    (tagged,) = [(name, copy.deepcopy(data)) for name, data in gateway.held if name == "THREAD_UPDATE"]
    gateway.release([])
    desk.server.ann.say(post, PASSWORD_QUESTION)
    gateway.hold()
    await desk.said(post, 2)
    later = list(gateway.held)
    gateway.release([])
    for event in (tagged, *later):
        gateway.dispatch(*event)
    desk.server.ann.say(post, PASSWORD_QUESTION)
    await desk.said(post, 3)
    trail = await audit_trail(desk.store, "demo", conversation.id)
    assert sum(event.kind == "conversation.resolved" for event in trail) == 1


async def test_a_direct_message_is_answered_there(desk: DiscordDesk) -> None:
    desk.server.ann.say(desk.server.ann.direct, PASSWORD_QUESTION)
    (reply,) = await desk.said(desk.server.ann.direct)
    assert "Forgot password" in reply["content"]
    assert (await desk.conversation(desk.server.ann.direct)).place == ""


async def test_an_edit_before_the_decision_overtakes_the_draft(desk: DiscordDesk) -> None:
    post = desk.server.ann.post(desk.server.forum, "Refund", "I want my money back, refund me now")
    await desk.said(desk.server.staff_room)
    desk.server.ann.edit(desk.simulator.messages(post)[0], "Sorry. How do I reset my password?")
    await desk.said(desk.server.staff_room, 1)
    question = await found(lambda: _text_with(desk, post["id"], "Sorry."), "the edited text")
    assert question.startswith("Refund\n\nSorry.")


async def test_a_preview_that_discord_adds_is_no_edit(desk: DiscordDesk) -> None:
    mention = desk.server.ann.mention(desk.server.general, PASSWORD_QUESTION)
    await desk.said(mention["id"])
    world = desk.simulator.world
    unfurled = {**world.messages[desk.server.general["id"]][mention["id"]], "embeds": [{"type": "link", "url": "x"}]}
    world.happened("MESSAGE_UPDATE", world.message_event(unfurled))
    await quiet(desk)
    assert len(desk.simulator.said_by_bot(mention["id"])) == 1


async def test_a_mention_added_by_an_edit_is_heard(desk: DiscordDesk) -> None:
    message = desk.server.ann.say(desk.server.general, PASSWORD_QUESTION)
    desk.server.ann.edit(message, f"<@{desk.simulator.world.bot['id']}> {PASSWORD_QUESTION}")
    assert "Forgot password" in (await desk.said(message["id"]))[0]["content"]


async def test_a_deleted_question_is_dropped(desk: DiscordDesk) -> None:
    post = desk.server.ann.post(desk.server.forum, "Refund", "I want my money back, refund me now")
    card = (await desk.said(desk.server.staff_room))[0]
    desk.server.ann.delete(desk.simulator.messages(post)[0])

    def overtaken() -> bool:
        return not desk.simulator.world.messages[card["channel_id"]][card["id"]]["components"]

    await until_true(overtaken, "the card to be closed")
    (kept,) = [m for m in await desk.messages(post, internal=True) if m.author is Author.CUSTOMER]
    assert kept.visibility is Visibility.INTERNAL


async def test_a_text_file_is_read_and_a_picture_is_kept_as_a_link(desk: DiscordDesk) -> None:
    url = desk.simulator.add_file("trace.log", b"KeyError: 'password'")
    files = [
        {"id": "1", "filename": "trace.log", "size": 20, "url": url, "proxy_url": url, "content_type": "text/plain"},
        {"id": "2", "filename": "shot.png", "size": 9, "url": "x", "proxy_url": "x", "content_type": "image/png"},
    ]
    post = desk.server.ann.post(desk.server.forum, "Broken", PASSWORD_QUESTION, attachments=files)
    question = (await desk.messages(post))[0]
    assert "trace.log:\nKeyError: 'password'" in question.text
    assert [attachment.name for attachment in question.attachments] == ["shot.png"]
    (card,) = await desk.said(desk.server.staff_room)
    assert "file" in str(card["embeds"])


async def test_staff_posts_in_a_support_forum_are_announcements(desk: DiscordDesk) -> None:
    desk.server.sue.post(desk.server.forum, "Read this first", "How do I reset my password? Is answered below.")
    await quiet(desk)
    assert (await desk.store.conversations.reading.page("demo")).items == ()


async def test_typing_is_shown_while_the_desk_works(desk: DiscordDesk) -> None:
    post = desk.server.ann.post(desk.server.forum, "Passwords", PASSWORD_QUESTION)
    (reply,) = await desk.said(post)
    assert desk.simulator.rest.typing[0][0] == post["id"]
    assert labels_of(reply)


async def _text_with(desk: DiscordDesk, thread: str, start: str) -> str:
    return next((message.text for message in await desk.messages(thread) if start in message.text), "")
