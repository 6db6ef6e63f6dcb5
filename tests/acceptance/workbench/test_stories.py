"""A customer in the web chat and agents in the workbench, side by side in a real browser, over the whole desk."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from storage.records import Role
from tests.support.browser import FLAGS, chromium
from tests.support.faq import FAQ
from tests.support.passwords import PASSWORD
from tests.support.served import Served, serve_desk
from tests.support.settings import settings_for

KNOWN = "How do I reset my password?"
UNKNOWN = "Do you deliver pizza to the moon base?"
RISKY = "I want my money back, refund me"


@dataclass(frozen=True, slots=True)
class Customer:
    """The web chat as a customer sees it."""

    page: Page

    async def write(self, text: str) -> None:
        await self.page.get_by_label("Your message").fill(text)
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator(".message.customer:not(.unsent)").last).to_contain_text(text)

    def replies(self, author: str) -> Locator:
        return self.page.locator(f".message.{author}")

    async def told(self, words: str) -> None:
        await expect(self.page.get_by_role("status").first).to_contain_text(words)


@dataclass(frozen=True, slots=True)
class Agent:
    """The inbox as an agent sees it."""

    page: Page

    @property
    def box(self) -> Locator:
        return self.page.get_by_label("Reply to the customer")

    @property
    def thread(self) -> Locator:
        return self.page.locator('[data-part="thread"]')

    async def open(self, text: str) -> None:
        await self.page.locator(".dh-item").filter(has_text=text).first.click()
        await expect(self.thread).to_contain_text(text)

    async def press(self, name: str) -> None:
        await self.page.get_by_role("toolbar").get_by_role("button", name=name, exact=True).click()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve_desk(settings_for(tmp_path)) as served:
        store = served.process.store
        await store.accounts.workspaces.create("demo", "Demo")
        await store.accounts.deployment.choose_home_workspace("demo")
        await store.accounts.members.add("demo", "alex@demo.example", "Alex", Role.AGENT, PASSWORD)
        await store.accounts.members.add("demo", "berta@demo.example", "Berta", Role.AGENT, PASSWORD)
        document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
        await store.knowledge.catalogue.load_document(document.id)
        yield served


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
async def customer(served: Served, browser: Browser) -> Customer:
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    await page.goto(f"{served.base_url}/chat")
    return Customer(page)


@pytest.fixture
async def alex(served: Served, browser: Browser) -> Agent:
    return await logged_in(served, browser, "alex@demo.example")


@pytest.fixture
async def berta(served: Served, browser: Browser) -> Agent:
    return await logged_in(served, browser, "berta@demo.example")


async def logged_in(served: Served, browser: Browser, email: str) -> Agent:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.goto(served.base_url)
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator(".dh-queue")).to_be_visible()
    return Agent(page)


async def test_a_known_question_is_answered_at_once_with_its_source(customer: Customer, alex: Agent) -> None:
    await customer.write(KNOWN)
    await expect(customer.replies("bot")).to_contain_text("Forgot password")
    await expect(customer.replies("bot")).to_contain_text(KNOWN)
    await expect(alex.page.locator('[data-part="queue"]')).to_contain_text("All caught up")


async def test_an_unknown_question_waits_for_a_person_who_writes_the_reply(customer: Customer, alex: Agent) -> None:
    await customer.write(UNKNOWN)
    await customer.told("A person will answer you here")
    await alex.open(UNKNOWN)
    await alex.box.fill("We do not deliver pizza anywhere, sorry.")
    await alex.press("Edit & send")
    await expect(customer.replies("agent")).to_contain_text("We do not deliver pizza")
    await expect(customer.replies("bot")).to_have_count(0)


async def test_a_rejected_draft_comes_back_made_anew_with_the_guidance(customer: Customer, alex: Agent) -> None:
    await customer.write(RISKY)
    await alex.open(RISKY)
    first = await alex.box.input_value()
    await alex.press("Reject …")
    await alex.page.get_by_label("What should the next draft do?").fill("Tell them how to export their data as CSV")
    await alex.page.get_by_role("button", name="Reject & redraft").click()
    await expect(alex.page.locator('[data-slot="title"]')).to_contain_text("version 2")
    await expect(alex.box).to_have_value("Open **Settings > Export** and choose CSV.")
    assert await alex.box.input_value() != first
    await alex.press("Approve")
    await expect(customer.replies("bot")).to_contain_text("Settings > Export")


async def test_an_agent_takes_over_replies_by_hand_and_hands_back(customer: Customer, alex: Agent) -> None:
    await customer.write(RISKY)
    await alex.open(RISKY)
    await alex.press("Take over")
    await expect(alex.page.locator('[data-slot="title"]')).to_have_text("Your reply")
    await alex.box.fill("I am Alex, a real person.")
    await alex.press("Send reply")
    await expect(customer.replies("agent")).to_contain_text("I am Alex, a real person.")
    await customer.write(KNOWN)
    await expect(alex.thread).to_contain_text(KNOWN)
    await expect(customer.replies("bot")).to_have_count(0)
    await alex.press("Hand back")
    await expect(customer.replies("bot")).to_contain_text("Forgot password")


async def test_a_draft_that_newer_words_have_overtaken_is_not_sent(customer: Customer, alex: Agent) -> None:
    await customer.write(RISKY)
    await alex.open(RISKY)
    await alex.box.fill("A reply to the old words.")
    await customer.write("Wait, I mean a complaint about the refund")
    await expect(alex.thread).to_contain_text("Wait, I mean a complaint")
    # What was typed is still there, and nothing of it has been sent.
    await expect(alex.page.locator(".dh-panel")).to_contain_text("The customer wrote more: here is the new draft")
    await expect(alex.box).to_have_value("A reply to the old words.")
    await expect(customer.replies("agent")).to_have_count(0)


async def test_of_two_agents_on_one_review_the_first_decides(
    customer: Customer, alex: Agent, berta: Agent, served: Served
) -> None:
    await customer.write(RISKY)
    await alex.open(RISKY)
    await berta.open(RISKY)
    await alex.box.fill("Alex answers.")
    await berta.box.fill("Berta answers.")
    await alex.press("Edit & send")
    await expect(customer.replies("agent")).to_contain_text("Alex answers.")
    await expect(berta.page.locator(".dh-panel")).to_contain_text("Already handled")
    await expect(berta.page.locator(".dh-panel")).to_contain_text("Alex")
    await expect(customer.replies("agent")).to_have_count(1)
    (conversation,) = (await served.process.store.conversations.reading.page("demo")).items
    assert conversation.bot_turns == 0
