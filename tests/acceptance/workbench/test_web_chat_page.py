"""The chat page in a real browser."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from storage.embeddings.protocol import Embedder
from storage.records import Citation, Draft, Member, Role
from tests.support.browser import FLAGS, chromium
from tests.support.settings import settings_for
from tests.support.web_desk import WebDesk, open_web_desk

ANSWER = Draft(
    text="Click **Forgot password**.\n\n<img src=x onerror=\"document.title='broken'\"> [bad](javascript:alert(1))",
    can_answer=True,
    confidence=0.91,
    citations=(Citation(chunk_id="c", document_id="d", title="How do I reset?", text="See the *login page*."),),
    follow_ups=("How do I export my data?", "Which browsers are supported?"),
    model="verbatim",
)
FAQ = b"""question,answer,alternatives,tags
How do I reset my password?,Click it.,,account
How do I export my data?,Export it.,,data
Which browsers are supported?,All.,,technical
What is a seat?,A person.,,billing
"""


@pytest.fixture
async def web_desk(tmp_path: Path, embedder: Embedder) -> AsyncIterator[WebDesk]:
    async with open_web_desk(settings_for(tmp_path), embedder) as desk:
        document = await desk.store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
        await desk.store.knowledge.catalogue.load_document(document.id)
        yield desk


@pytest.fixture
async def web_agent(web_desk: WebDesk) -> Member:
    return await web_desk.store.accounts.members.add(
        "demo", "anna@demo.example", "Anna", Role.AGENT, "a long enough password"
    )


@pytest.fixture
async def web_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
async def chat_page(web_desk: WebDesk, web_browser: Browser) -> AsyncIterator[Page]:
    """The page, opened; what the browser complains about fails the test."""
    page = await web_browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    await page.goto(f"{web_desk.base_url}/chat")
    yield page
    assert complaints == []


async def write(page: Page, text: str) -> str:
    """Send a text from the keyboard; gives the conversation's id."""
    await page.get_by_label("Your message").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".message.customer:not(.unsent)").last).to_contain_text(text)
    kept = await page.evaluate("JSON.parse(localStorage.getItem('deskhand:demo')).id")
    return str(kept)


async def test_an_answer_comes_live_with_its_source_and_suggestions(web_desk: WebDesk, chat_page: Page) -> None:
    conversation_id = await write(chat_page, "I forgot my password")
    await expect(chat_page.get_by_role("status")).to_contain_text("The desk is working")
    await expect(chat_page.locator(".typing")).to_be_visible()
    await web_desk.answer(conversation_id, ANSWER)
    reply = chat_page.locator(".message.bot")
    await expect(reply.locator("strong")).to_have_text("Forgot password")
    await expect(chat_page.locator(".typing")).to_be_hidden()
    await reply.get_by_text("How do I reset?").click()
    await expect(reply.locator(".passage em")).to_have_text("login page")
    await chat_page.get_by_role("button", name="How do I export my data?").click()
    await expect(chat_page.locator(".message.customer").last).to_contain_text("How do I export my data?")


async def test_markup_in_a_reply_is_shown_and_not_run(web_desk: WebDesk, chat_page: Page) -> None:
    conversation_id = await write(chat_page, "<b>hello</b> <script>document.title='broken'</script>")
    await web_desk.answer(conversation_id, ANSWER)
    await expect(chat_page.locator(".message.bot")).to_contain_text("<img src=x")
    assert await chat_page.locator(".bubble img, .bubble script, .customer b, .bubble a").count() == 0
    assert await chat_page.title() == "Demo"


async def test_a_reload_keeps_the_conversation_the_vote_and_what_was_being_typed(
    web_desk: WebDesk, chat_page: Page
) -> None:
    conversation_id = await write(chat_page, "I forgot my password")
    await web_desk.answer(conversation_id, ANSWER)
    await chat_page.get_by_role("button", name="This helped").click()
    await expect(chat_page.get_by_role("button", name="This helped")).to_have_attribute("aria-pressed", "true")
    await chat_page.get_by_label("Your message").fill("and one more th")
    await chat_page.reload()
    await expect(chat_page.locator(".message")).to_have_count(2)
    await expect(chat_page.get_by_role("button", name="This helped")).to_have_attribute("aria-pressed", "true")
    await expect(chat_page.get_by_label("Your message")).to_have_value("and one more th")


async def test_talk_to_a_person_says_who_will_answer_and_then_who_does(
    web_desk: WebDesk, web_agent: Member, chat_page: Page
) -> None:
    conversation_id = await write(chat_page, "I want my money back")
    await chat_page.get_by_role("button", name="Talk to a person").click()
    await expect(chat_page.get_by_role("status")).to_contain_text("A person will answer you here")
    await expect(chat_page.locator(".system")).to_contain_text("a person from our team")
    await expect(chat_page.get_by_role("button", name="Talk to a person")).to_be_hidden()
    await web_desk.desk.take_over(web_agent, conversation_id)
    await expect(chat_page.get_by_role("status")).to_contain_text("Anna from the team is here")
    await web_desk.desk.reply(web_agent, conversation_id, "It is on its way.")
    await expect(chat_page.locator(".message.agent")).to_contain_text("Anna")
    await expect(chat_page.locator(".message.agent .bubble")).to_have_text("It is on its way.")


async def test_a_message_written_without_connection_is_kept_and_sent_once(web_desk: WebDesk, chat_page: Page) -> None:
    conversation_id = await write(chat_page, "first")
    await chat_page.context.set_offline(True)
    await chat_page.get_by_label("Your message").fill("written in the tunnel")
    await chat_page.keyboard.press("Enter")
    await expect(chat_page.get_by_role("status")).to_contain_text(
        "Connection lost — your message is kept and will be sent"
    )
    await chat_page.context.set_offline(False)
    await expect(chat_page.locator(".unsent")).to_have_count(0)
    await expect(chat_page.get_by_role("status")).not_to_contain_text("Connection lost")
    said = await web_desk.store.conversations.reading.read("demo", conversation_id)
    assert said.first_line == "written in the tunnel"
    await expect(chat_page.locator(".message.customer")).to_have_count(2)


async def test_an_unsent_message_survives_a_reload(chat_page: Page) -> None:
    await write(chat_page, "first")
    await chat_page.route("**/messages", lambda route: route.abort())
    await chat_page.get_by_label("Your message").fill("second")
    await chat_page.keyboard.press("Enter")
    await expect(chat_page.locator(".unsent")).to_have_count(1)
    await chat_page.unroute("**/messages")
    await chat_page.reload()
    await expect(chat_page.locator(".message.customer:not(.unsent)")).to_have_count(2)
    await expect(chat_page.locator(".unsent")).to_have_count(0)


async def test_a_message_whose_answer_was_lost_is_there_once(web_desk: WebDesk, chat_page: Page) -> None:
    conversation_id = await write(chat_page, "first")
    lost: list[str] = []

    async def lose_the_first_answer(route: Route) -> None:
        if lost:
            await route.continue_()
            return
        lost.append((await route.fetch()).url)
        await route.abort()

    await chat_page.route("**/messages", lose_the_first_answer)
    await chat_page.get_by_label("Your message").fill("second")
    await chat_page.keyboard.press("Enter")
    await expect(chat_page.locator(".unsent")).to_have_count(0)
    await expect(chat_page.locator(".message.customer")).to_have_count(2)
    ref = await web_desk.store.conversations.customer_view.ref(conversation_id)
    said = await web_desk.store.conversations.customer_view.visible_messages(ref)
    assert [one.message.text for one in said] == ["first", "second"]
    assert lost


async def test_shift_enter_makes_a_line_and_enter_sends(chat_page: Page) -> None:
    await chat_page.get_by_label("Your message").press_sequentially("one")
    await chat_page.keyboard.press("Shift+Enter")
    await chat_page.keyboard.type("two")
    assert await chat_page.locator(".message").count() == 0
    await chat_page.keyboard.press("Enter")
    assert await chat_page.locator(".message .bubble").first.inner_text() == "one\ntwo"


async def test_an_example_question_starts_the_conversation(chat_page: Page) -> None:
    await expect(chat_page.get_by_role("heading", name="How can we help?")).to_be_visible()
    await expect(chat_page.locator("#examples button")).to_have_count(3)
    await chat_page.locator("#examples button").first.focus()
    await chat_page.keyboard.press("Enter")
    await expect(chat_page.locator(".message.customer:not(.unsent)")).to_contain_text("How do I reset my password?")
    await expect(chat_page.get_by_role("heading", name="How can we help?")).to_be_hidden()


async def test_solved_and_then_a_new_conversation(web_desk: WebDesk, chat_page: Page) -> None:
    first = await write(chat_page, "hello")
    await chat_page.get_by_role("button", name="Solved").click()
    await expect(chat_page.get_by_role("status")).to_contain_text("Solved")
    await chat_page.get_by_role("button", name="New conversation").click()
    await expect(chat_page.locator(".message")).to_have_count(0)
    assert await write(chat_page, "something else") != first
    assert (await web_desk.store.conversations.reading.read("demo", first)).status == "closed"


async def test_an_open_conversation_is_not_left_by_accident(chat_page: Page) -> None:
    await write(chat_page, "hello")
    await chat_page.get_by_role("button", name="New conversation").click()
    await expect(chat_page.get_by_role("dialog")).to_be_visible()
    await chat_page.keyboard.press("Escape")
    await expect(chat_page.locator(".message")).to_have_count(1)


async def test_a_message_after_the_end_begins_a_new_conversation(web_desk: WebDesk, chat_page: Page) -> None:
    first = await write(chat_page, "hello")
    await web_desk.desk.close("demo", first)
    await expect(chat_page.get_by_role("status")).to_contain_text("This conversation is closed")
    assert await write(chat_page, "one more thing") != first


async def test_a_long_text_is_counted_before_it_is_sent(chat_page: Page) -> None:
    await chat_page.get_by_label("Your message").fill("x" * 2400)
    await expect(chat_page.locator("#hint")).to_contain_text("2,400 of 2,000 characters")


async def test_an_unknown_workspace_is_said_to_be_one(web_desk: WebDesk, web_browser: Browser) -> None:
    page = await web_browser.new_page()
    answer = await page.goto(f"{web_desk.base_url}/chat?workspace=nobody")
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("status")).to_contain_text("There is no support desk at this address")


@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_is_wider_than_the_screen(web_desk: WebDesk, chat_page: Page, width: int) -> None:
    await chat_page.set_viewport_size({"width": width, "height": 800})
    conversation_id = await write(chat_page, "w" * 300)
    table = "| a | b |\n|---|---|\n| " + "long " * 40 + "| x |\n\n```\n" + "code " * 60 + "\n```"
    await web_desk.answer(conversation_id, ANSWER.model_copy(update={"text": table}))
    await expect(chat_page.locator(".message.bot table")).to_be_visible()
    assert await chat_page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await chat_page.evaluate("document.querySelector('#scroll').scrollWidth <= innerWidth")


async def test_the_page_asks_nobody_else_for_anything(web_desk: WebDesk, web_browser: Browser) -> None:
    page = await web_browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{web_desk.base_url}/chat")
    await write(page, "hello")
    assert all(url.startswith(web_desk.base_url) for url in asked)
    assert not [url for url in asked if re.search("token", url)]
