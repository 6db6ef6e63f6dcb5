"""The workbench's other tabs in a real browser: knowledge, numbers, autopilot, settings."""

import re

import pytest
from playwright.async_api import Page, expect

from storage.knowledge.documents.progress import recorded_progress
from storage.records import Author, DecisionKind, Mode
from tests.support.rows import database_of
from tests.support.waiting import until
from tests.support.workbench_story import KNOWN, Story, pick

pytest_plugins = ["tests.support.workbench_fixtures"]
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Gradio calls pandas so, now and then, to sum up its own queue.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
FILE = b"""question,answer,tags
Do you have a <b>free</b> plan?,"Yes, for up to three people.",plans
,An answer without a question.,
"""


async def tab(page: Page, name: str) -> None:
    await page.get_by_role("tab", name=name).click()


async def test_an_admin_loads_a_faq_sees_what_was_refused_searches_and_deletes(story: Story) -> None:
    page = await story.open(story.carla)
    await tab(page, "Knowledge")
    name = "<img src=x onerror=hacked>.csv"
    await page.set_input_files("#dh-load input[type=file]", {"name": name, "mimeType": "text/csv", "buffer": FILE})
    row = page.locator("#dh-documents tr", has_text="hacked")
    await expect(row).to_contain_text("Ready")
    await expect(page.locator("#dh-document")).to_contain_text("1 entries loaded, 1 rows refused")
    await expect(page.locator("#dh-document table")).to_contain_text("3")
    await page.fill("#dh-try textarea", "is there a free plan")
    await page.get_by_role("button", name="Search", exact=True).click()
    await expect(page.locator("#dh-answer")).to_contain_text("Yes, for up to three people.")
    await expect(page.locator("#dh-answer")).to_contain_text("A person would look at this draft first.")
    await expect(page.locator("#dh-answer .dh-hit").first).to_contain_text("Do you have a <b>free</b> plan?")
    await page.click("text=Delete this document")
    await page.click("text=Delete for good")
    await expect(row).to_have_count(0)
    assert await page.evaluate("document.querySelectorAll('#dh-documents img, #dh-document b').length") == 0


async def test_a_document_that_is_loading_shows_how_far_it_is(story: Story) -> None:
    store = story.served.process.store
    document = await store.knowledge.catalogue.create(story.workspace, "handbook.csv", FILE)
    page = await story.open()
    await tab(page, "Knowledge")
    row = page.locator("#dh-documents tr", has_text="handbook.csv")
    await expect(row).to_contain_text("Loading …")
    async with recorded_progress(database_of(store), document.id) as report:
        report(45, 100)
    await expect(row).to_contain_text("Loading, 45 %")
    await store.knowledge.catalogue.load_document(document.id)
    await expect(row).to_contain_text("Ready")


async def test_a_file_that_cannot_be_read_says_why(story: Story) -> None:
    page = await story.open(story.carla)
    await tab(page, "Knowledge")
    await page.set_input_files("#dh-load input[type=file]", {"name": "a.json", "mimeType": "x/y", "buffer": b"{nope"})
    await expect(page.locator("#dh-documents tr", has_text="a.json")).to_contain_text("Failed")
    await expect(page.locator("#dh-document .dh-alert")).not_to_be_empty()


async def test_analytics_and_monitoring_show_what_really_happened(story: Story) -> None:
    accepted = await story.held()
    page = await story.open()
    await tab(page, "Analytics")
    await expect(page.locator(".dh-tile", has_text="customer messages").locator("b")).to_have_text("1")
    await tab(page, "Inbox")
    await pick(page, "Ada")
    await page.click('[data-act="approve"]')
    await story.reply(accepted, Author.BOT)
    await tab(page, "Analytics")
    await expect(page.locator(".dh-bars div", has_text="Approved").locator("em")).to_have_text("1")
    await expect(page.locator(".dh-bars div", has_text="Reviewed").locator("em")).to_have_text("100%")
    await expect(page.locator("svg.marks, .vega-embed svg").first).to_be_visible()
    await tab(page, "Monitoring")
    await expect(page.locator(".dh-table tr", has_text="Every reply is reviewed here.")).to_contain_text("Reviewed")
    await expect(page.locator(".dh-table tr", has_text="review · approve")).to_contain_text("Anna")


async def test_an_empty_workspace_says_on_every_page_what_to_do(story: Story) -> None:
    page = await story.open()
    await expect(page.locator(".dh-list")).to_contain_text("All caught up")
    await expect(page.locator(".dh-thread")).to_contain_text("No conversation is open")
    await tab(page, "Analytics")
    await expect(page.locator(".dh-page:visible")).to_contain_text("No numbers in this period")
    await tab(page, "Monitoring")
    await expect(page.locator(".dh-page:visible")).to_contain_text("No message has come in yet")
    await expect(page.locator(".dh-page:visible")).to_contain_text("Every reply has arrived")


async def test_the_autopilot_is_set_tried_on_the_past_and_obeyed(story: Story) -> None:
    accepted = await story.held()
    page = await story.open(story.carla)
    await pick(page, "Ada")
    await page.click('[data-act="approve"]')
    await story.reply(accepted, Author.BOT)
    await tab(page, "Autopilot")
    await expect(page.get_by_label("Draft: it drafts every reply")).to_be_checked()
    await page.get_by_label("Auto: it sends what it is sure of").check()
    await page.click("text=Try on the last drafts")
    await expect(page.locator(".dh-box:visible")).to_contain_text("1 of the last 1 drafts would have gone out")
    await page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    store = story.served.process.store

    async def saved() -> bool:
        return (await store.accounts.workspaces.read(story.workspace)).settings.mode is Mode.AUTO

    await until(saved)
    answered = await story.write(KNOWN, customer="Bob")
    assert (await story.reply(answered, Author.BOT)).member_name is None


async def test_intents_and_blocked_terms_of_one_s_own_are_kept_and_offered(story: Story) -> None:
    page = await story.open(story.carla)
    await tab(page, "Autopilot")
    await expect(page.locator("#dh-intents textarea")).to_have_value(re.compile("greeting"))
    await page.fill("#dh-intents textarea", "Shipping\nrefund\nother")
    await page.fill("#dh-blocked textarea", "casino")
    await page.fill("#dh-target input", "1.5")
    await page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    await expect(page.locator("#dh-held")).to_contain_text("shipping")
    await expect(page.locator("#dh-held")).not_to_contain_text("greeting")
    settings = (await story.served.process.store.accounts.workspaces.read(story.workspace)).settings
    assert (settings.intents, settings.hold_intents) == (("shipping", "refund", "other"), ("refund",))
    assert (settings.blocked_terms, settings.target_error) == (("casino",), 0.015)
    held = await story.held("Is there a casino bonus?")
    review = await story.served.process.store.conversations.reviews.of_conversation(
        story.workspace, held.conversation_id
    )
    assert review is not None
    assert "casino" in " ".join(review.held_because)


async def test_wrong_hours_are_refused_with_what_to_mend(story: Story) -> None:
    page = await story.open(story.carla)
    await tab(page, "Autopilot")
    await expect(page.locator("#dh-intents textarea")).to_have_value(re.compile("greeting"))
    await page.get_by_label("Business hours").check()
    await page.get_by_label("From", exact=True).fill("<i>nine</i>")
    await page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    await expect(page.locator(".toast-body")).to_contain_text("'<i>nine</i>' is no time; write it like 09:00.")
    settings = (await story.served.process.store.accounts.workspaces.read(story.workspace)).settings
    assert settings.business_hours is None


async def test_an_admin_adds_a_member_who_can_log_in_and_a_canned_reply(story: Story) -> None:
    page = await story.open(story.carla)
    await tab(page, "Settings")
    await page.click("text=Add a member, or set a new password")
    await page.get_by_label("E-mail", exact=True).fill(f"new@{story.workspace}.example")
    await page.get_by_label("Name", exact=True).fill("<s>Nora</s>")
    await page.get_by_label("Password, 10").fill("a long enough password")
    await page.click("text=Add member")
    await expect(page.locator(".dh-table:visible", has_text="E-mail")).to_contain_text("<s>Nora</s>")
    await page.click("text=Save or remove a canned reply")
    await page.get_by_label("Title").fill("Hello")
    await page.get_by_label("Text", exact=True).fill("Hello from us.")
    await page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    await expect(page.locator(".dh-table:visible", has_text="Title")).to_contain_text("Hello from us.")
    (member,) = await story.served.process.store.accounts.members.log_in(
        f"new@{story.workspace}.example", "a long enough password"
    )
    newcomer = await story.open(member)
    await expect(newcomer.locator(".dh-me")).to_contain_text("<s>Nora</s>")


async def test_an_admin_changes_a_role_and_lets_a_member_go(story: Story) -> None:
    accepted = await story.held()
    store = story.served.process.store
    await story.served.process.desk.take_over(story.bert, accepted.conversation_id)
    berts = await story.open(story.bert)
    await pick(berts, "Ada")
    page = await story.open(story.carla)
    await tab(page, "Settings")
    await page.click("text=Change a role, or remove a member")
    await choose(page, "Anna")
    await page.locator("#dh-member-role").get_by_label("Admin: also sets up").check()
    await page.get_by_role("button", name="Change role").click()
    await expect(page.locator("#dh-members tr", has_text="Anna")).to_contain_text("admin")
    await choose(page, "Carla")
    await page.get_by_role("button", name="Remove member").click()
    await expect(page.locator("#dh-removal")).to_contain_text("Remove Carla?")
    await page.get_by_role("button", name="Remove for good").click()
    await expect(page.locator(".toast-body.error")).to_contain_text("You cannot remove yourself: ask another admin")
    await choose(page, "Bert")
    await page.get_by_role("button", name="Remove member").click()
    await expect(page.locator("#dh-removal")).to_contain_text("Remove Bert? Their logins end at once.")
    await page.get_by_role("button", name="Remove for good").click()
    await expect(page.locator("#dh-members tr", has_text="Bert")).to_have_count(0)
    await expect(berts.locator('[data-slot="news"]')).to_contain_text("Your login has ended.")
    await tab(page, "Inbox")
    await pick(page, "Ada")
    await expect(page.locator(".dh-thread")).to_contain_text("Carla removed Bert from the team")
    await expect(page.locator(".dh-panel-head")).to_contain_text("Nobody has this conversation yet")
    assert {member.name for member in await store.accounts.members.all(story.workspace)} == {"Anna", "Carla"}


async def choose(page: Page, member: str) -> None:
    """Pick a member in the picker of the settings."""
    await page.locator("#dh-member input").click()
    await page.get_by_role("option", name=member).click()


async def test_the_decision_of_a_browser_is_the_member_s_own(story: Story) -> None:
    accepted = await story.held()
    page = await story.open(story.bert)
    await pick(page, "Ada")
    await page.click('[data-act="approve"]')
    await story.reply(accepted, Author.BOT)
    review = await story.served.process.store.conversations.reviews.of_conversation(
        story.workspace, accepted.conversation_id
    )
    assert review is not None
    assert review.decision is not None
    assert (review.decision.kind, review.decision.member_id) == (DecisionKind.APPROVE, story.bert.id)
