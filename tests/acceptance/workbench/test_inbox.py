"""The inbox in real browsers: reviews decided, conversations taken over, nothing lost and nothing sent twice."""

import pytest
from playwright.async_api import Page, expect

from storage.records import Author, ConversationStatus, Visibility
from tests.support.waiting import until
from tests.support.workbench_story import KNOWN_ANSWER, Story, pick

pytest_plugins = ["tests.support.workbench_fixtures"]
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Gradio calls pandas so, now and then, to sum up its own queue.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

BOX = '[data-box="text"]'


def act(kind: str) -> str:
    """The selector of an action's button."""
    return f'[data-act="{kind}"]'


async def toast(page: Page, words: str) -> None:
    await expect(page.locator(".dh-toast", has_text=words)).to_be_visible()


async def test_an_approved_draft_goes_to_the_customer_and_the_next_card_opens(story: Story) -> None:
    first = await story.held(customer="Ada")
    await story.held("What is your refund policy?", customer="Bob")
    page = await story.open()
    await pick(page, "Ada")
    await expect(page.locator(BOX)).to_have_value(KNOWN_ANSWER)
    await expect(page.locator(".dh-held")).to_contain_text("Every reply is reviewed here.")
    await page.click(act("approve"))
    await toast(page, "Approved: the reply is on its way")
    reply = await story.reply(first, Author.BOT)
    assert reply.text == KNOWN_ANSWER
    assert reply.member_name == "Anna"
    await expect(page.locator(".dh-head h2")).to_have_text("Bob")
    await expect(page.locator(".dh-item", has_text="Ada")).to_have_count(0)


async def test_an_edited_draft_is_sent_as_edited(story: Story) -> None:
    accepted = await story.held()
    page = await story.open()
    await pick(page, "Ada")
    await expect(page.locator(act("edit"))).to_be_disabled()
    await page.fill(BOX, "Please call us.")
    await expect(page.locator(act("approve"))).to_be_disabled()
    await page.click(act("edit"))
    reply = await story.reply(accepted, Author.AGENT)
    assert reply.text == "Please call us."
    assert await story.messages(accepted, Author.BOT) == []


async def test_a_rejected_draft_comes_back_as_another_version(story: Story) -> None:
    await story.held()
    page = await story.open()
    await pick(page, "Ada")
    await page.click(act("reject"))
    await page.fill('[data-box="guidance"]', "Say how to export the data instead")
    await page.click("text=Reject & redraft")
    await expect(page.locator('[data-slot="title"]')).to_have_text("Draft reply, version 2")
    await expect(page.locator(BOX)).not_to_have_value(KNOWN_ANSWER)
    await expect(page.locator(".dh-held")).to_contain_text("A person asked for this redraft.")


async def test_a_conversation_is_taken_over_answered_by_hand_and_handed_back(story: Story) -> None:
    accepted = await story.held()
    page = await story.open()
    await pick(page, "Ada")
    await page.click(act("take_over"))
    await expect(page.locator('[data-slot="title"]')).to_have_text("Your reply")
    await page.fill(BOX, "Hello Ada, this is Anna.")
    await page.click(act("reply"))
    await expect(page.locator(".dh-bubble.agent")).to_contain_text("Hello Ada, this is Anna.")
    await expect(page.locator(BOX)).to_have_value("")
    await story.write("Thank you Anna")
    await expect(page.locator(".dh-bubble.customer").last).to_contain_text("Thank you Anna")
    assert await story.messages(accepted, Author.BOT) == []
    await page.click(act("hand_back"))
    await expect(page.locator(".dh-line", has_text="handed back to the bot")).to_be_visible()
    conversation = await story.served.process.store.conversations.reading.read(
        story.workspace, accepted.conversation_id
    )
    assert conversation.assignee_id is None


async def test_a_dismissed_draft_sends_nothing(story: Story) -> None:
    accepted = await story.held()
    page = await story.open()
    await pick(page, "Ada")
    await page.click(act("dismiss"))
    await toast(page, "Dismissed: nothing was sent")
    assert await story.messages(accepted, Author.BOT, Author.AGENT) == []
    await expect(page.locator(".dh-list")).to_contain_text("All caught up")


async def test_a_note_is_seen_by_colleagues_and_never_by_the_customer(story: Story) -> None:
    accepted = await story.held()
    page, other = await story.open(), await story.open(story.bert)
    await pick(page, "Ada")
    await page.fill('[data-box="note"]', "Knows our CEO, be quick")
    await page.press('[data-box="note"]', "Enter")
    await pick(other, "Ada")
    await expect(other.locator(".dh-bubble.note")).to_contain_text("Knows our CEO")
    await expect(page.locator('[data-box="note"]')).to_have_value("")
    (note,) = await story.messages(accepted, Author.AGENT)
    assert note.visibility is Visibility.INTERNAL


async def test_a_claim_shows_the_others_who_works_on_a_draft(story: Story) -> None:
    await story.held()
    page, other = await story.open(), await story.open(story.bert)
    await pick(page, "Ada")
    await pick(other, "Ada")
    await page.click(act("claim"))
    await expect(other.locator(".dh-item")).to_contain_text("Claimed: Anna")
    await expect(other.locator(".dh-claimed")).to_contain_text("Anna is working on this.")
    await expect(page.locator(act("release"))).to_be_visible()


async def test_two_agents_on_one_review_the_second_is_told_who_was_first(story: Story) -> None:
    accepted = await story.held()
    page, other = await story.open(), await story.open(story.bert)
    await pick(page, "Ada")
    await pick(other, "Ada")
    await other.fill(BOX, "Bert's own words")
    await page.click(act("approve"))
    await toast(page, "Approved")
    await other.press(BOX, "Control+Enter")
    await toast(other, "Already handled by Anna: approve.")
    await story.reply(accepted, Author.BOT)
    assert await story.messages(accepted, Author.AGENT) == []
    await expect(other.locator('[data-slot="kept-text"]')).to_have_text("Bert's own words")


async def test_newer_customer_text_makes_the_draft_stale_and_keeps_what_was_typed(story: Story) -> None:
    accepted = await story.held()
    page = await story.open()
    await pick(page, "Ada")
    await page.fill(BOX, "My careful answer")
    await story.held("Sorry, I meant: what is your refund policy?")
    await expect(page.locator('[data-slot="kept-title"]')).to_contain_text("The customer wrote more")
    await expect(page.locator(BOX)).to_have_value("My careful answer")
    await page.press(BOX, "Control+Enter")
    await toast(page, "Nothing was sent. The customer wrote more")
    await toast(page, "Sorry, I meant: what is your refund policy?")
    await expect(page.locator(BOX)).not_to_have_value("My careful answer")
    await expect(page.locator('[data-slot="kept-text"]')).to_have_text("My careful answer")
    assert await story.messages(accepted, Author.AGENT, Author.BOT) == []
    await page.click("text=Put it back")
    await page.press(BOX, "Control+Enter")
    reply = await story.reply(accepted, Author.AGENT)
    assert reply.text == "My careful answer"


async def test_a_refresh_moves_neither_text_nor_caret_nor_scroll(story: Story) -> None:
    await story.held()
    for number in range(12):
        await story.write(KNOWN_ANSWER, customer=f"Filler {number}")
    page = await story.open()
    await pick(page, "Ada")
    await expect(page.locator(".dh-item")).to_have_count(13)
    await page.fill(BOX, "I am still typing")
    await page.evaluate("document.querySelector('[data-box=text]').setSelectionRange(4, 4)")
    await page.evaluate("document.querySelector('.dh-list').scrollTop = 150")
    before = await page.evaluate(WHERE)
    await story.held("What is your refund policy?", customer="Newcomer")
    await expect(page.locator(".dh-item", has_text="Newcomer")).to_have_count(1)
    assert await page.evaluate(WHERE) == before
    await pick(page, "Newcomer")
    await pick(page, "Ada")
    await expect(page.locator(BOX)).to_have_value("I am still typing")
    await page.reload()
    await expect(page.locator(BOX)).to_have_value("I am still typing")


WHERE = """() => {
  const { dataset, value, selectionStart } = document.activeElement;
  const current = document.querySelector('.dh-item[aria-current]').dataset.id;
  return [dataset.box, value, selectionStart, document.querySelector('.dh-list').scrollTop, current];
}"""


async def test_everything_can_be_done_with_the_keyboard_alone(story: Story) -> None:
    first = await story.held(customer="Ada")
    second = await story.held("What is your refund policy?", customer="Bob")
    third = await story.held("How do I export my data?", customer="Cyd")
    page = await story.open()
    await expect(page.locator(".dh-head h2")).to_have_text("Ada")
    await page.keyboard.press("?")
    await expect(page.locator(".dh-help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await expect(page.locator(".dh-head h2")).to_have_text("Bob")
    await page.keyboard.press("k")
    await expect(page.locator(".dh-head h2")).to_have_text("Ada")
    await expect(page.locator(act("approve"))).to_be_enabled()
    await page.keyboard.press("a")
    await story.reply(first, Author.BOT)
    await expect(page.locator(".dh-head h2")).to_have_text("Bob")
    await expect(page.locator(act("approve"))).to_be_enabled()
    await page.keyboard.press("e")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("Jack asked: a, e, r, t?")
    await page.keyboard.press("Control+Enter")
    assert (await story.reply(second, Author.AGENT)).text == "Jack asked: a, e, r, t?"
    await expect(page.locator(".dh-head h2")).to_have_text("Cyd")
    await page.keyboard.press("Escape")
    await expect(page.locator(act("take_over"))).to_be_enabled()
    await page.keyboard.press("t")
    await expect(page.locator('[data-slot="title"]')).to_have_text("Your reply")
    conversation = await story.served.process.store.conversations.reading.read(story.workspace, third.conversation_id)
    assert conversation.assignee_id == story.anna.id


async def test_the_tab_key_reaches_every_action_of_a_review(story: Story) -> None:
    await story.held()
    page = await story.open()
    await pick(page, "Ada")
    reached: set[str] = set()
    for _ in range(60):
        await page.keyboard.press("Tab")
        reached.add(await page.evaluate("document.activeElement?.dataset?.act || document.activeElement?.dataset?.box"))
    assert {"approve", "reject", "take_over", "dismiss", "claim", "text", "note"} <= reached


async def test_filters_and_search_narrow_the_queue(story: Story) -> None:
    await story.held(customer="Ada")
    await story.held("What is your refund policy?", customer="Bob")
    page = await story.open()
    await expect(page.locator(".dh-item")).to_have_count(2)
    await page.fill('[data-wish="search"]', "refund pol")
    await expect(page.locator(".dh-item strong")).to_have_text(["Bob"])
    await page.fill('[data-wish="search"]', "nobody says this")
    await expect(page.locator(".dh-list")).to_contain_text("Nothing matches these filters")
    await page.fill('[data-wish="search"]', "")
    await page.select_option('[data-wish="show"]', "mine")
    await expect(page.locator(".dh-list")).to_contain_text("Nothing is yours right now")


async def test_priority_assignee_and_canned_replies_can_be_set(story: Story) -> None:
    accepted = await story.held()
    await story.served.process.store.accounts.canned_replies.keep(story.workspace, "Looking", "I am looking into this.")
    page = await story.open()
    await pick(page, "Ada")
    await page.select_option('[data-change="priority"]', "high")
    await toast(page, "Priority is high now.")
    await page.select_option('[data-do="canned"]', label="Looking")
    await expect(page.locator(BOX)).to_have_value(f"{KNOWN_ANSWER}\n\nI am looking into this.")
    await page.select_option('[data-change="assign"]', label="Bert")
    await expect(page.locator('[data-slot="kept-text"], .dh-line').first).to_be_visible()
    store = story.served.process.store

    async def assigned() -> bool:
        conversation = await store.conversations.reading.read(story.workspace, accepted.conversation_id)
        return conversation.assignee_id == story.bert.id and conversation.status is ConversationStatus.ASSIGNED

    await until(assigned)


async def test_what_customers_write_is_shown_as_text(story: Story) -> None:
    attack = "<img src=x onerror='window.hacked=1'><script>window.hacked=2</script> ${window.hacked=3} {{constructor}}"
    await story.held(attack, customer=f"Eve {attack[:60]}")
    page = await story.open(story.carla)
    await page.locator(".dh-item").click()
    await expect(page.locator(".dh-bubble.customer .dh-body")).to_have_text(attack)
    await expect(page.locator(".dh-item-line")).to_have_text(attack)
    await page.get_by_role("tab", name="Monitoring").click()
    await expect(page.locator(".dh-table", has_text="message · accepted")).to_contain_text("<img src=x")
    assert await page.evaluate("window.hacked") is None
    assert await page.locator(".dh-bubble img, .dh-item img, .dh-table img").count() == 0


async def test_everything_to_decide_a_review_is_visible_at_1280_by_800(story: Story) -> None:
    await story.held()
    page = await story.open()
    await pick(page, "Ada")
    await expect(page.locator(act("approve"))).to_be_enabled()
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    for selector in (".dh-held", BOX, ".dh-confidence", ".dh-source", act("approve"), act("claim")):
        await expect(page.locator(selector).first).to_be_in_viewport(ratio=1)
    await page.click(".dh-source summary")
    await expect(page.locator(".dh-source .dh-body")).to_contain_text("Forgot password")


async def test_the_panes_stack_on_a_phone(story: Story) -> None:
    await story.held()
    page = await story.open(width=390, height=800)
    await pick(page, "Ada")
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await expect(page.locator(act("approve"))).to_be_enabled()
    await page.locator(".dh-held").scroll_into_view_if_needed()
    await expect(page.locator(act("approve"))).to_be_in_viewport(ratio=1)
    await page.click(act("approve"))
    await toast(page, "Approved")


async def test_an_act_during_an_outage_says_what_is_known_and_keeps_the_text(story: Story) -> None:
    await story.held()
    page = await story.open()
    await pick(page, "Ada")
    await page.fill(BOX, "Words worth keeping")
    await page.context.set_offline(True)
    await page.press(BOX, "Control+Enter")
    await toast(page, "it is not known whether this took effect")
    await expect(page.locator(BOX)).to_have_value("Words worth keeping")
    await expect(page.locator('[data-slot="news"]')).to_contain_text("Customers' messages wait safely")
    await page.context.set_offline(False)
    await expect(page.locator('[data-slot="news"]')).to_be_hidden()


async def test_a_long_conversation_shows_its_latest_messages_and_older_ones_when_asked(story: Story) -> None:
    accepted = await story.write("Message 1 of many")
    store = story.served.process.store
    await store.conversations.actions.take_over(story.anna, accepted.conversation_id)
    for number in range(2, 130):
        await story.write(f"Message {number} of many")
    page = await story.open()
    await pick(page, "Ada")
    bubbles = page.locator(".dh-thread .dh-bubble")
    await expect(bubbles).to_have_count(100)
    await expect(bubbles.last).to_be_in_viewport()
    await page.locator(".dh-thread").evaluate("thread => thread.scrollTop = 0")
    first = await bubbles.first.inner_text()
    await page.click("text=Show older messages")
    await expect(page.locator(".dh-bubble", has_text="Message 1 of many")).to_have_count(1)
    await expect(page.locator("text=Show older messages")).to_have_count(0)
    # What was at the top stays in sight: the older messages came in above it.
    await expect(page.locator(".dh-bubble", has_text=first.splitlines()[-1])).to_be_in_viewport()
    await expect(page.locator(".dh-bubble", has_text="Message 1 of many")).not_to_be_in_viewport()
