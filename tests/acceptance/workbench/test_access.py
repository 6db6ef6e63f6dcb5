"""Who comes into the workbench, and that its endpoints are closed to everybody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from storage.records import Role, new_id
from tests.support.workbench_story import (
    PASSWORD,
    Story,
    log_in,
    pick,
)
from workbench.auth.sessions import SESSION_COOKIE

pytest_plugins = ["tests.support.workbench_fixtures"]
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Gradio calls pandas so, now and then, to sum up its own queue.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]


async def blank(story: Story) -> Page:
    """A browser without a login."""
    context = await story.served.browser.new_context()
    story.contexts.append(context)
    return await context.new_page()


@asynccontextmanager
async def session(story: Story, email: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the cookie of a login."""
    async with httpx.AsyncClient(base_url=story.served.base) as client:
        answer = await client.post("/login", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield client


def gradio_id(config: dict[str, object], elem_id: str) -> int:
    """The id of a component on the page."""
    components = config["components"]
    assert isinstance(components, list)
    return int(next(item["id"] for item in components if item["props"].get("elem_id") == elem_id))


async def call(
    client: httpx.AsyncClient, function: str, component: str = "dh-inbox-root", **asked: object
) -> httpx.Response:
    """Call a server function of the inbox or of another page, as its script does."""
    config = (await client.get("/config")).json()
    body = {
        "data": asked,
        "component_id": gradio_id(config, component),
        "fn_name": function,
        "session_hash": new_id(),
    }
    return await client.post("/gradio_api/component_server", json=body)


async def test_without_a_login_one_is_sent_to_the_login_page_and_a_wrong_password_says_so(story: Story) -> None:
    page = await blank(story)
    await log_in(page, story.served.base, story.anna.email, "not the password")
    await expect(page.locator("[role=alert]")).to_have_text("This e-mail and password do not match.")
    await expect(page.locator("#email")).to_have_value(story.anna.email)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await expect(page.locator(".dh-me")).to_contain_text("Anna")
    await page.click("text=Log out")
    await expect(page.locator("h1")).to_have_text("Log in to the workbench")
    await page.goto(f"{story.served.base}/")
    await expect(page.locator("h1")).to_have_text("Log in to the workbench")


async def test_the_cookie_is_closed_to_scripts_and_a_login_from_another_site_is_refused(story: Story) -> None:
    async with httpx.AsyncClient(base_url=story.served.base) as client:
        form = {"email": story.carla.email, "password": PASSWORD}
        foreign = await client.post("/login", data=form, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        answer = await client.post("/login", data=form)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{SESSION_COOKIE}=")
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()


@pytest.mark.parametrize(
    "path",
    ["/config", "/gradio_api/queue/data?session_hash=x", "/gradio_api/startup-events", "/gradio_api/heartbeat/x"],
)
async def test_without_a_session_no_endpoint_answers(story: Story, path: str) -> None:
    async with httpx.AsyncClient(base_url=story.served.base) as client:
        assert (await client.get(path)).status_code == 401
        for posted in ("/gradio_api/queue/join", "/gradio_api/component_server"):
            assert (await client.post(posted, json={})).status_code == 401


async def test_what_the_pages_do_not_need_is_closed_to_members_too(story: Story) -> None:
    async with session(story, story.carla.email) as client:
        for path in ("/gradio_api/info", "/gradio_api/openapi.json", "/gradio_api/file=/etc/passwd", "/monitoring/x"):
            assert (await client.get(path)).status_code == 404, path
        assert (await client.post("/gradio_api/vibe-edit/", json={"prompt": "x"})).status_code == 404
        answer = await client.post("/gradio_api/queue/join", json={}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403


async def test_a_member_sees_and_decides_nothing_of_another_workspace(story: Story) -> None:
    other = await story.served.story()
    accepted = await other.held()
    review = await story.served.process.store.conversations.reviews.of_conversation(
        other.workspace, accepted.conversation_id
    )
    assert review is not None
    async with session(story, story.anna.email) as client:
        seen = (await call(client, "refresh", selected=accepted.conversation_id)).json()
        assert seen["selected"] == ""
        assert seen["ids"] == []
        assert "Ada" not in str(seen)
        for kind in ("approve", "take_over", "claim"):
            told = await call(
                client,
                "act",
                kind=kind,
                conversation_id=accepted.conversation_id,
                review_id=review.id,
                version=review.version,
            )
            assert told.json()["ok"] is False
    again = await story.served.process.store.conversations.reviews.read(other.workspace, review.id)
    assert again == review


async def test_nonsense_from_a_browser_is_told_and_breaks_nothing(story: Story) -> None:
    accepted = await story.held()
    async with session(story, story.anna.email) as client:
        for asked in (
            {"kind": "fly"},
            {"kind": "reply", "conversation_id": accepted.conversation_id, "text": "x" * 30_000},
        ):
            answer = await call(client, "act", **asked)
            assert answer.status_code == 200
            assert answer.json()["ok"] is False
        odd = await call(client, "act", kind="priority", conversation_id=accepted.conversation_id, value="huge")
        assert "no such priority" in odd.json()["text"]
        assert "error" in (await call(client, "refresh", filter={"show": "everything"})).json()


async def test_an_agent_has_no_way_to_load_delete_or_set_anything(story: Story) -> None:
    page = await story.open()
    await page.get_by_role("tab", name="Knowledge").click()
    await expect(page.locator("#dh-documents")).to_contain_text("faq.csv")
    await page.click("[data-doc]")
    await expect(page.locator("#dh-document")).to_contain_text("4 entries loaded")
    await expect(page.locator("#dh-load")).to_be_hidden()
    await expect(page.locator("text=Delete this document")).to_be_hidden()
    await expect(page.get_by_role("tab", name="Autopilot")).to_have_count(0)
    async with session(story, story.anna.email) as client:
        files = {"file": ("faq.csv", b"question,answer\nIs it free?,Yes.\n")}
        assert (await client.post("/workbench/documents", files=files)).status_code == 403
        config = (await client.get("/config")).json()
        documents = await story.served.process.store.knowledge.catalogue.list(story.workspace)
        refused, probe = 0, new_id()
        for dependency in config["dependencies"]:
            body = {
                "fn_index": dependency["id"],
                "data": [_value(config, item, documents[0].id) for item in dependency["inputs"]],
                "session_hash": f"{probe}{dependency['id']}",
            }
            await client.post("/gradio_api/queue/join", json=body)
            async with client.stream("GET", f"/gradio_api/queue/data?session_hash={probe}{dependency['id']}") as events:
                async for line in events.aiter_lines():
                    if "process_completed" in line:
                        refused += "Only admins may do this." in line
                        break
        # Deleting documents; seeing, trying and saving the autopilot; seeing and changing the settings,
        # where a member's role and removal are three.
        assert refused == 12
    settings = (await story.served.process.store.accounts.workspaces.read(story.workspace)).settings
    assert settings.mode == "draft"
    assert await story.served.process.store.knowledge.catalogue.list(story.workspace) == documents
    assert len(await story.served.process.store.accounts.members.all(story.workspace)) == 3


def _value(config: dict[str, list[dict[str, Any]]], component_id: int, document_id: str) -> object:
    """What a browser might send for a component: the chosen document, or the component's own value."""
    component = next(item for item in config["components"] if item["id"] == component_id)
    match component["type"]:
        case "state":
            return document_id
        case "slider":
            return 50
        case _:
            return component["props"].get("value")


async def test_a_person_of_two_workspaces_switches_between_them(story: Story) -> None:
    other = await story.served.story()
    await story.served.process.store.accounts.members.add(
        other.workspace, story.anna.email, "Anna elsewhere", Role.ADMIN, PASSWORD
    )
    await other.held(customer="Elsewhere")
    await story.held(customer="Here")
    page = await story.open()
    await pick(page, "Here")
    await page.select_option("[data-do=switch]", label=f"Workspace {other.workspace}")
    await expect(page.locator(".dh-me")).to_contain_text("Anna elsewhere")
    await expect(page.locator(".dh-item")).to_have_count(1)
    await expect(page.locator(".dh-item")).to_contain_text("Elsewhere")


async def test_a_login_that_ended_is_told_and_what_was_typed_waits_for_the_next(story: Story) -> None:
    await story.held()
    page = await story.open()
    await pick(page, "Ada")
    await page.fill('[data-box="text"]', "Half a thought")
    await story.served.process.store.accounts.accounts.reset_password(
        story.workspace, story.anna.email, "another password"
    )
    await expect(page.locator('[data-slot="news"]')).to_contain_text("Your login has ended.")
    await page.click("text=Log in again")
    await page.fill("#email", story.anna.email)
    await page.fill("#password", "another password")
    await page.press("#password", "Enter")
    # Somebody else set it: one's own comes first.
    await page.fill("#current", "another password")
    await page.fill("#new", "a password of my own")
    await page.click("text=Set password")
    await expect(page.locator(".dh-item")).to_have_count(1)
    await expect(page.locator('[data-box="text"]')).to_have_value("Half a thought")
