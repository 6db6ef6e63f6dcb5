"""A served desk and browsers for stories about the workbench; each story gets a workspace of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.web.routes import web_routes
from commands.process.composition import Process
from storage.conversations.intake import Accepted
from storage.records import (
    Author,
    Incoming,
    Member,
    Message,
    Mode,
    Role,
    new_id,
)
from tests.support.faq import FAQ
from tests.support.settings import settings_for
from tests.support.waiting import until
from tests.support.whole_desk import open_desk
from workbench.site import build_site

PASSWORD = "a long enough password"
KNOWN = "How do I reset my password?"
KNOWN_ANSWER = "Click **Forgot password** on the login page and follow the link in the e-mail."


@dataclass
class Served:
    """One process that all stories of a module share."""

    process: Process
    base: str
    browser: Browser
    stories: int = 0

    async def story(self) -> "Story":
        """A fresh workspace where every reply is reviewed, with a small FAQ, two agents and an admin."""
        self.stories += 1
        workspace = f"story-{self.stories}"
        store = self.process.store
        await store.accounts.workspaces.create(workspace, f"Workspace {workspace}")
        people = (("anna", Role.AGENT), ("bert", Role.AGENT), ("carla", Role.ADMIN))
        anna, bert, carla = [
            await store.accounts.members.add(
                workspace, f"{name}@{workspace}.example", name.capitalize(), role, PASSWORD
            )
            for name, role in people
        ]
        await store.accounts.workspaces.change_settings(carla, mode=Mode.DRAFT)
        document = await store.knowledge.catalogue.create(workspace, "faq.csv", FAQ)
        await store.knowledge.catalogue.load_document(document.id)
        return Story(self, workspace, anna, bert, carla)


@dataclass
class Story:
    """A workspace, its people, and their browsers."""

    served: Served
    workspace: str
    anna: Member
    bert: Member
    carla: Member
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What the browsers said about scripts that failed, and every request to another host."""

    async def write(self, text: str, customer: str = "Ada", thread: str = "") -> Accepted:
        """A customer's message; the same customer writes in the same thread."""
        name = thread or customer
        incoming = Incoming(
            workspace_id=self.workspace,
            channel="web",
            external_id=new_id(),
            thread=f"{self.workspace}-{name}",
            customer_external_id=f"{self.workspace}-{name}",
            text=text,
            customer_name=customer,
        )
        return await self.served.process.intake.accept(incoming)

    async def held(self, text: str = KNOWN, customer: str = "Ada") -> Accepted:
        """A customer's message whose draft waits for a person."""
        accepted = await self.write(text, customer)

        async def waiting() -> bool:
            review = await self.served.process.store.conversations.reviews.of_conversation(
                self.workspace, accepted.conversation_id
            )
            return review is not None and review.decision is None

        await until(waiting)
        return accepted

    async def messages(self, accepted: Accepted, *authors: Author) -> list[Message]:
        """What was said in the conversation by these authors."""
        messages = self.served.process.store.conversations.messages
        found = await messages.of_conversation(self.workspace, accepted.conversation_id, internal=True)
        return [message for message in found if not authors or message.author in authors]

    async def reply(self, accepted: Accepted, *authors: Author) -> Message:
        """The first reply of one of these authors."""
        return (await until(lambda: self.messages(accepted, *authors)))[0]

    async def open(self, member: Member | None = None, *, width: int = 1280, height: int = 800) -> Page:
        """A browser of this member's own, logged in."""
        context = await self.served.browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(15_000)
        self.contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._judge(request.url))
        page.on("console", lambda said: self.complaints.append(said.text) if "Security Policy" in said.text else None)
        await log_in(page, self.served.base, (member or self.anna).email, PASSWORD)
        return page

    def _judge(self, url: str) -> None:
        if not url.startswith((self.served.base, "data:", "blob:")):
            self.complaints.append(f"request to {url}")

    async def close(self) -> None:
        """Close the browsers; what they complained about fails the story."""
        for context in self.contexts:
            await context.close()
        assert not self.complaints, self.complaints


async def log_in(page: Page, base: str, email: str, password: str) -> None:
    """Through the login page."""
    await page.goto(f"{base}/")
    await page.fill("#email", email)
    await page.fill("#password", password)
    await page.click("button[type=submit]")


async def pick(page: Page, customer: str) -> None:
    """Open a conversation in the queue and wait until its pane is there."""
    await page.locator(".dh-item", has_text=customer).click()
    await expect(page.locator(".dh-head h2")).to_have_text(customer)


@asynccontextmanager
async def serve(folder: Path, browser: Browser) -> AsyncIterator[Served]:
    """The whole desk on a loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        web = {"port": listener.getsockname()[1], "public_url": "https://desk.example"}
        settings = settings_for(folder, web=web, slack={"client_id": "1.2"})
        async with open_desk(settings) as process:
            routes = web_routes(process.store, process.intake, process.desk, settings)
            site = build_site(process.workbench, [routes])
            server = uvicorn.Server(
                uvicorn.Config(site, log_config=None, access_log=False, timeout_graceful_shutdown=1)
            )
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                yield Served(process, f"http://127.0.0.1:{settings.web.port}", browser)
            finally:
                server.should_exit = True
                await serving
