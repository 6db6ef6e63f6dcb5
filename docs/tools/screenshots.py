"""Takes the pictures of docs/images from a real desk with the demo workspace: `make screenshots`."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright, expect

from commands.process.composition import Process
from storage.operations.demo import ensure_demo
from storage.records import (
    Decision,
    DecisionKind,
    Incoming,
    Member,
    Mode,
    Place,
    ReviewStatus,
    new_id,
)
from storage.settings import Settings
from tests.support.browser import FLAGS, chromium
from tests.support.served import serve_desk
from tests.support.settings import settings_for

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
PASSWORD = "screenshot password"
WIDE = ViewportSize(width=1280, height=800)
NARROW = ViewportSize(width=390, height=844)
TABS = ("Knowledge", "Analytics", "Monitoring", "Channels", "Autopilot", "Settings")
NAMES = ("Mara Lindqvist", "Joost de Wit", "Priya Nair", "Sam Okafor", "Lena Vogt", "Tom Ashby")
HELD_FOR_THE_INBOX = (
    "I want my money back for the yearly plan, we never used it",
    "can i talk to a real human please",
    "Do you offer an on-premises version that we install on our own server?",
)


async def main() -> None:
    """Fill a demo desk with some life and photograph every page."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder), demo={"admin_password": PASSWORD, "agent_password": PASSWORD})
        async with serve_desk(settings) as served:
            await fill(served.process, settings)
            async with browser() as chrome:
                await chat_pictures(chrome, served.base_url)
                await workbench_pictures(chrome, served.base_url)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Chromium as the tests use it."""
    async with async_playwright() as playwright:
        chrome = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield chrome
        await chrome.close()


async def fill(process: Process, settings: Settings) -> None:
    """The demo workspace, conversations of many customers, some decided by an agent, some waiting."""
    made = await ensure_demo(process.store, settings)
    for document_id in made.document_ids:
        await process.store.knowledge.catalogue.load_document(document_id)
    lines = (ROOT / "demo" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[::3]):
        await ask(process, json.loads(line)["query"], NAMES[number % len(NAMES)])
    agent = next(member for member in await process.store.accounts.members.all("demo") if member.role == "agent")
    for number, review in enumerate(
        (await process.store.conversations.reviews.page("demo", ReviewStatus.PENDING)).items
    ):
        decision = (
            Decision(kind=DecisionKind.APPROVE)
            if review.draft.text and number % 3
            else Decision(
                kind=DecisionKind.EDIT, text="Thanks for asking! I have looked into it and written to you by e-mail."
            )
        )
        await process.desk.decide(agent, review.id, decision, based_on=review.version)
    await process.jobs.idle()
    await connect(process, agent)
    for text, name in zip(HELD_FOR_THE_INBOX, NAMES, strict=False):
        await ask(process, text, name)


async def connect(process: Process, agent: Member) -> None:
    """Slack and Discord as they would be, with a support channel, a staff channel, a forum and an agent."""
    store, states = process.store, process.states
    for place in (
        Place("demo", "slack", "T012AB", "C034CD", "support", mode=Mode.AUTO),
        Place("demo", "slack", "T012AB", "C056EF", "support-team", is_staff=True),
        Place("demo", "discord", "1100000000000000001", "1100000000000000002", "help-forum", mode=Mode.DRAFT),
    ):
        await store.channels.places.keep(place)
    await store.channels.identities.link("demo", agent.id, "slack", "T012AB/U078GH")
    states.starting("slack")
    states.connected("slack")
    states.event("slack")
    states.failed("slack", "Slack refused it: not_in_channel")
    states.off("discord", "Message Content is not granted: switch on Message Content Intent on the Bot page")


async def ask(process: Process, text: str, name: str) -> None:
    """One customer message, worked on to the end."""
    thread = new_id()
    await process.intake.accept(
        Incoming(
            workspace_id="demo",
            channel="web",
            external_id=new_id(),
            thread=thread,
            customer_external_id=thread,
            customer_name=name,
            text=text,
        )
    )
    await process.jobs.idle()


async def chat_pictures(chrome: Browser, base_url: str) -> None:
    """The web chat: empty, answered, waiting for a person; wide and narrow."""
    page = await chrome.new_page(viewport=WIDE)
    await page.goto(f"{base_url}/chat")
    await expect(page.get_by_label("Your message")).to_be_visible()
    await page.wait_for_timeout(800)
    await page.screenshot(path=IMAGES / "chat-empty.png")
    await write(page, "How do I reset my password?")
    await expect(page.locator(".message.bot")).to_be_visible()
    await page.wait_for_timeout(500)
    await page.screenshot(path=IMAGES / "chat.png")
    await page.set_viewport_size(NARROW)
    await write(page, "I was charged twice, I want my money back")
    await expect(page.get_by_role("status").first).to_contain_text("A person will answer")
    await page.wait_for_timeout(500)
    await page.screenshot(path=IMAGES / "chat-narrow.png")


async def write(page: Page, text: str) -> None:
    """Send a text from the keyboard."""
    await page.get_by_label("Your message").fill(text)
    await page.keyboard.press("Enter")


async def workbench_pictures(chrome: Browser, base_url: str) -> None:
    """Login, the inbox in three dresses, and every other tab."""
    context = await chrome.new_context(viewport=WIDE)
    page = await context.new_page()
    await page.goto(base_url)
    await page.screenshot(path=IMAGES / "login.png")
    await page.get_by_label("E-mail").fill("admin@demo.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator(".dh-item").filter(has_text="money back").first.click()
    await expect(page.locator('[data-part="thread"]')).to_contain_text("money back")
    await page.wait_for_timeout(800)
    await page.screenshot(path=IMAGES / "inbox.png")
    for tab in TABS:
        await page.get_by_role("tab", name=tab).click()
        await page.wait_for_timeout(2500)
        await page.screenshot(path=IMAGES / f"{tab.lower()}.png")
    await dressed(context, page, base_url)


async def dressed(context: BrowserContext, page: Page, base_url: str) -> None:
    """The inbox in the dark and on a telephone."""
    await page.emulate_media(color_scheme="dark")
    await page.goto(base_url)
    await page.locator(".dh-item").first.click()
    await page.wait_for_timeout(1500)
    await page.screenshot(path=IMAGES / "inbox-dark.png")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(NARROW)
    await page.goto(base_url)
    await page.locator(".dh-item").first.wait_for()
    await page.wait_for_timeout(1500)
    await page.screenshot(path=IMAGES / "inbox-narrow.png")
    await context.close()


if __name__ == "__main__":
    asyncio.run(main())
