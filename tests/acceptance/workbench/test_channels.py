"""The Channels page in a real browser: states in plain words, places, people, and links for teams."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from bot.slack.connection.install_links import SlackInstallLinks
from storage.records import Installation, Mode, Place, Role
from tests.acceptance.workbench.test_access import call, session
from tests.support.passwords import PASSWORD
from tests.support.waiting import until
from tests.support.workbench_story import Story

pytest_plugins = ["tests.support.workbench_fixtures"]
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Gradio calls pandas so, now and then, to sum up its own queue.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]


async def opened(story: Story) -> Page:
    """The page, with one Slack team that belongs to the workspace."""
    team = f"T{story.workspace.rpartition('-')[2]}"
    await story.served.process.store.channels.installations.keep(
        Installation(story.workspace, "slack", team, name="Acme Corp")
    )
    page = await story.open(story.carla)
    await page.get_by_role("tab", name="Channels").click()
    await expect(page.locator('[data-part="teams"]')).to_contain_text("Acme Corp")
    return page


async def test_each_channel_says_how_it_is_and_what_to_do(story: Story) -> None:
    states = story.served.process.states
    states.off("slack")
    states.off("discord")
    page = await opened(story)
    slack, discord = page.locator('[data-state="slack"]'), page.locator('[data-state="discord"]')
    await expect(slack).to_contain_text("Not set up")
    await expect(slack).to_contain_text("Set SLACK_BOT_TOKEN and SLACK_APP_TOKEN in the desk's environment.")
    await expect(slack).to_contain_text("docs/slack.md")
    await expect(discord).to_contain_text("Set DISCORD_BOT_TOKEN in the desk's environment.")
    await expect(page.locator('[data-state="web"]')).to_contain_text(f"/chat?workspace={story.workspace}")
    states.starting("slack")
    await expect(slack).to_contain_text("Connecting …")
    states.connected("slack")
    states.event("slack")
    await expect(slack).to_contain_text("Connected sincejust now · ")
    await expect(slack).to_contain_text("Last eventjust now · ")
    states.failed("slack", "Slack refused it: <b>not_in_channel</b>")
    await expect(slack.locator(".dh-alert")).to_contain_text("<b>not_in_channel</b>")
    await expect(slack.locator(".dh-alert")).to_contain_text("Invite the bot to that channel: /invite @Deskhand.")


async def test_a_place_is_added_changed_and_removed_while_what_is_typed_stays(story: Story) -> None:
    store = story.served.process.store
    page = await opened(story)
    await expect(page.locator('[data-part="places"]')).to_contain_text("No places yet")
    await page.click("text=Add a place")
    form = page.locator('[data-form="add_place"]')
    await form.get_by_label("Channel").fill("C034CD")
    await form.get_by_label("Name").fill("<i>support</i>")
    # News come in while the form is filled: what was typed and what was chosen stay.
    await form.get_by_label("What happens there").select_option("draft")
    await store.channels.places.keep(Place(story.workspace, "discord", "1", "2", "from elsewhere"))
    await expect(page.locator('[data-part="places"]')).to_contain_text("from elsewhere")
    await expect(form.get_by_label("Channel")).to_have_value("C034CD")
    await expect(form.get_by_label("What happens there")).to_have_value("draft")
    await form.get_by_role("button", name="Add place").click()
    row = page.locator('[data-part="places"] tr', has_text="<i>support</i>")
    await expect(row.locator("[data-mode]")).to_have_value("draft")
    await expect(form.get_by_label("Channel")).to_have_value("")

    async def kept() -> Place | None:
        return await store.channels.places.find(story.workspace, "slack", "C034CD")

    await row.locator("[data-mode]").select_option("auto")
    await until(lambda: _is(kept, mode=Mode.AUTO, is_staff=False))
    await row.locator("[data-staff]").check()
    place = await until(lambda: _is(kept, mode=Mode.AUTO, is_staff=True))
    assert (place.name, place.team) == ("<i>support</i>", f"T{story.workspace.rpartition('-')[2]}")
    await row.get_by_role("button", name="Remove").click()
    await page.get_by_role("button", name="Keep it").click()
    await expect(row).to_have_count(1)
    await row.get_by_role("button", name="Remove").click()
    await page.locator("dialog").get_by_role("button", name="Remove").click()
    await expect(row).to_have_count(0)
    assert await kept() is None


async def _is(look: Callable[[], Awaitable[Place | None]], *, mode: Mode, is_staff: bool) -> Place | None:
    place = await look()
    return place if place and (place.mode, place.is_staff) == (mode, is_staff) else None


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("support", "Write a channel like T012AB/C034CD, or paste its address from Slack in the browser."),
        ("https://app.slack.com/client/TELSEWHERE/C034CD", "TELSEWHERE does not belong to this workspace"),
    ],
)
async def test_a_place_that_cannot_be_says_why_and_keeps_what_was_typed(story: Story, where: str, told: str) -> None:
    page = await opened(story)
    await page.click("text=Add a place")
    form = page.locator('[data-form="add_place"]')
    await form.get_by_label("Channel").fill(where)
    await page.evaluate("""document.querySelector('[data-part="places"] > *').id = "before" """)
    await form.get_by_role("button", name="Add place").click()
    await expect(page.locator("#dh-channels-root .dh-toast")).to_contain_text(told)
    # The list is drawn again after every try, and only then is the form emptied if it may be.
    await expect(page.locator("#before")).to_have_count(0)
    await page.evaluate("new Promise((done) => setTimeout(done, 50))")
    await expect(form.get_by_label("Channel")).to_have_value(where)
    assert await story.served.process.store.channels.places.all(story.workspace) == []


async def test_a_member_is_linked_to_their_user_and_unlinked(story: Story) -> None:
    store = story.served.process.store
    page = await opened(story)
    await page.click("text=Link a member")
    form = page.locator('[data-form="link"]')
    await form.get_by_label("Member").select_option(story.bert.id)
    await form.get_by_label("Platform").select_option("discord")
    await form.get_by_label("User").fill("1100000000000000009")
    # A colleague comes in while the form is filled: the list grows, the choice stays.
    await store.accounts.members.add(story.workspace, f"zoe@{story.workspace}.example", "Zoe", Role.AGENT, PASSWORD)
    await expect(form.get_by_label("Member").locator("option", has_text="Zoe")).to_have_count(1)
    await expect(form.get_by_label("Member")).to_have_value(story.bert.id)
    await form.get_by_role("button", name="Link").click()
    row = page.locator('[data-part="people"] tr', has_text="1100000000000000009")
    await expect(row).to_contain_text("Bert")
    assert await store.channels.identities.member(story.workspace, "discord", "1100000000000000009") == story.bert
    await row.get_by_role("button", name="Remove").click()
    await page.locator("dialog").get_by_role("button", name="Remove").click()
    await expect(page.locator('[data-part="people"]')).to_contain_text("Nobody is linked yet")
    assert await store.channels.identities.all(story.workspace) == []


async def test_a_link_that_is_made_here_lets_a_team_join_this_workspace(story: Story) -> None:
    page = await opened(story)
    await page.click("text=Make an “Add to Slack” link")
    field = page.get_by_label("Add to Slack link", exact=True)
    await expect(field).to_have_value(re.compile(r"^https://desk\.example/slack/install\?grant=."))
    link = await field.input_value()
    tickets = SlackInstallLinks(story.served.process.settings)
    assert tickets.read("slack-install", link.partition("grant=")[2])[0] == story.workspace
    await expect(page.get_by_role("link", name="Add to Slack")).to_have_attribute("href", link)


async def test_the_page_is_closed_to_agents(story: Story) -> None:
    store = story.served.process.store
    page = await story.open()
    await expect(page.get_by_role("tab", name="Knowledge")).to_be_visible()
    await expect(page.get_by_role("tab", name="Channels")).to_have_count(0)
    async with session(story, story.anna.email) as client:
        seen = await call(client, "refresh", component="dh-channels-root", seen={})
        assert seen.json() == {"error": "Only admins may do this."}
        changes = (
            {"kind": "link", "channel": "discord", "where": "1", "member_id": story.anna.id},
            {"kind": "add_place", "channel": "slack", "where": "T1/C1"},
            {"kind": "invite"},
        )
        for change in changes:
            told = await call(client, "act", component="dh-channels-root", **change)
            assert told.json() == {"text": "Only admins may do this.", "ok": False}
    assert await store.channels.identities.all(story.workspace) == []


async def test_nothing_of_another_workspace_is_shown_or_changed(story: Story) -> None:
    other, store = await story.served.story(), story.served.process.store
    await store.channels.places.keep(Place(other.workspace, "slack", "T9", "C9", "theirs", mode=Mode.AUTO))
    await store.channels.identities.link(other.workspace, other.anna.id, "slack", "T9/U9")
    async with session(story, story.carla.email) as client:
        seen = (await call(client, "refresh", component="dh-channels-root")).json()
        assert "theirs" not in str(seen)
        assert "U9" not in str(seen)
        set_place = {"kind": "set_place", "channel": "slack", "where": "C9", "mode": "off"}
        assert (await call(client, "act", component="dh-channels-root", **set_place)).json()["ok"] is False
        linking = {"kind": "link", "channel": "slack", "where": "T9/U9", "member_id": other.anna.id}
        assert (await call(client, "act", component="dh-channels-root", **linking)).json()["ok"] is False
        for kind, where in (("remove_place", "C9"), ("unlink", "T9/U9")):
            await call(client, "act", component="dh-channels-root", kind=kind, channel="slack", where=where)
    (place,) = await store.channels.places.all(other.workspace)
    assert (place.name, place.mode) == ("theirs", Mode.AUTO)
    assert len(await store.channels.identities.all(other.workspace)) == 1
