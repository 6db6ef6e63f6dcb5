"""Behind a real nginx, under a sub-path: everything works, and only a trusted proxy's word is believed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import FilePayload, async_playwright, expect

from commands.banner import base_url
from storage.records import Role
from tests.support.browser import FLAGS, chromium
from tests.support.nginx import NoNginxError, nginx, proxying
from tests.support.passwords import PASSWORD
from tests.support.rest import member_of
from tests.support.served import Served, serve_desk
from tests.support.settings import settings_for

pytestmark = [
    # Gradio calls pandas so, now and then, to sum up its own queue.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
EMAIL = "admin@demo.example"


@pytest.fixture(scope="module", autouse=True)
def proxy_is_there() -> None:
    try:
        nginx()
    except NoNginxError as error:
        pytest.skip(str(error))


@asynccontextmanager
async def desk(folder: Path, **web: Any) -> AsyncIterator[Served]:
    async with serve_desk(settings_for(folder, web=web)) as served:
        store = served.process.store
        await store.accounts.workspaces.create("demo", "Demo")
        await store.accounts.deployment.choose_home_workspace("demo")
        await member_of(store, "demo", EMAIL, "Ada", Role.ADMIN)
        yield served


async def log_in(base: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(f"{base}/login", data={"email": EMAIL, "password": PASSWORD}, headers=headers)


@pytest.mark.parametrize("strips", [False, True])
async def test_every_page_works_below_a_path(tmp_path: Path, strips: bool) -> None:
    async with (
        desk(tmp_path, root_path="/help/desk", trusted_proxies=["127.0.0.1"]) as served,
        proxying(tmp_path / "nginx", served.base_url, "/help/desk", strips=strips) as host,
        httpx.AsyncClient() as client,
    ):
        base = f"{host}/help/desk"
        for page in ("/login", "/docs", "/chat?workspace=demo"):
            answer = await client.get(base + page)
            assert answer.status_code == httpx.codes.OK, page
            for link in re.findall(r'(?:href|src)="([^"#]+)"', answer.text):
                url = answer.url.join(link)
                if url.scheme in ("http", "https"):
                    assert str(url).startswith(base), (page, link)
                    assert (await client.get(url)).status_code == httpx.codes.OK, (page, link)
        assert (await client.get(f"{base}/")).headers["location"] == "/help/desk/login"
        assert (await client.get(f"{base}/api/v1/auth/me")).status_code == httpx.codes.UNAUTHORIZED
        assert (await client.get(f"{base}/openapi.json")).json()["servers"] == [{"url": "/help/desk"}]
        logged_in = await log_in(base)
        assert logged_in.headers["location"] == "/help/desk/"
        assert "Path=/help/desk" in logged_in.headers["set-cookie"]


async def test_workbench_and_chat_work_below_a_path_in_a_browser(tmp_path: Path) -> None:
    async with (
        desk(tmp_path, root_path="/desk") as served,
        proxying(tmp_path / "nginx", served.base_url, "/desk") as host,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = await browser.new_page()
        missing: list[str] = []
        page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
        await page.goto(f"{host}/desk/")
        await page.fill("#email", EMAIL)
        await page.fill("#password", PASSWORD)
        await page.click("button[type=submit]")
        await expect(page.locator(".dh-me")).to_contain_text("Ada", timeout=30_000)
        await page.get_by_role("tab", name="Knowledge").click()
        file = FilePayload(name="faq.csv", mimeType="text/csv", buffer=b"question,answer\nIs it free?,Yes.\n")
        await page.set_input_files("#dh-load input[type=file]", file)
        await expect(page.locator("#dh-documents tr", has_text="faq.csv")).to_contain_text("Ready", timeout=30_000)
        await page.click("text=Log out")
        await expect(page.locator("h1")).to_have_text("Log in to the workbench")
        await page.goto(f"{host}/desk/chat?workspace=demo")
        await page.fill("#text", "Is it free?")
        await page.click("#send")
        await expect(page.locator("#log")).to_contain_text("Is it free?")
        assert not missing
        await browser.close()


async def test_a_trusted_proxys_word_makes_cookies_secure_and_counts_each_client(tmp_path: Path) -> None:
    limits = {"trusted_proxies": ["127.0.0.0/8"], "conversations_per_minute": 1}
    async with (
        desk(tmp_path, **limits) as served,
        proxying(tmp_path / "nginx", served.base_url) as host,
        httpx.AsyncClient() as client,
    ):
        assert "secure" in (await log_in(host)).headers["set-cookie"].lower()

        async def open_as(address: str) -> int:
            headers = {"X-Forwarded-For": address}
            answer = await client.post(
                f"{served.base_url}/api/v1/conversations", json={"workspace": "demo"}, headers=headers
            )
            return answer.status_code

        assert [await open_as("203.0.113.1"), await open_as("203.0.113.1")] == [201, 429]
        assert await open_as("203.0.113.2") == httpx.codes.CREATED
        # What a client says itself stands left of what the proxy adds.
        assert await open_as("203.0.113.9, 203.0.113.2") == httpx.codes.TOO_MANY_REQUESTS


async def test_nobody_elses_word_is_believed(tmp_path: Path) -> None:
    async with desk(tmp_path, conversations_per_minute=1) as served, httpx.AsyncClient() as client:
        answers = [
            await client.post(
                f"{served.base_url}/api/v1/conversations",
                json={"workspace": "demo"},
                headers={"X-Forwarded-For": f"203.0.113.{number}"},
            )
            for number in range(2)
        ]
        assert [answer.status_code for answer in answers] == [201, 429]
        plain = await log_in(served.base_url, **{"X-Forwarded-Proto": "https"})
        assert "secure" not in plain.headers["set-cookie"].lower()


def test_an_ipv6_address_is_printed_in_brackets() -> None:
    assert base_url("::1", 7860) == "http://[::1]:7860"
    assert base_url("::", 7860) == "http://localhost:7860"
    assert base_url("192.0.2.1", 80) == "http://192.0.2.1:80"
