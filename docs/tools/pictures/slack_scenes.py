"""The stories that Slack's pictures show, told through the real client library against the simulated Slack."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path

from docs.tools.pictures.parts import HERE, Payload, Picture
from docs.tools.pictures.slack_page import SlackPage
from tests.simulators.slack.desk import (
    AGENT_USER,
    HELP,
    STAFF,
    SlackDesk,
    open_slack_desk,
)
from tests.simulators.slack.people import Person
from tests.simulators.slack.server import running_slack
from tests.simulators.slack.world import BOT_USER
from tests.support.settings import settings_for

NAMES = {"UCLEO": "Cleo Marsh", "UDAN": "Dan Okafor", AGENT_USER: "Alex Agent", BOT_USER: "Deskhand", HELP: "help"}
KNOWN = "Hi! I forgot my password, how do I reset it?"
REFUND = "I was charged for the yearly plan yesterday but we never used it. I want my money back."
UNKNOWN = "Do you have an on-premises version that we can run on our own server?"
EDITED = "Sorry about that, Dan. I have cancelled the plan for you: the money is back on your card by *Friday*."


async def slack_pictures(folder: Path) -> list[Picture]:
    """Every picture of Slack; the desk's data goes into the folder."""
    async with told(folder) as desk:
        page = SlackPage(NAMES, BOT_USER)
        answered = await answer(desk, page)
        reviewed = await review(desk, page)
        return [*answered, *reviewed, *await homes(desk, page), await status(desk, page), await assistant(desk, page)]


@asynccontextmanager
async def told(folder: Path) -> AsyncIterator[SlackDesk]:
    """A desk that knows a little about a fictional product."""
    knowledge = ("faq.csv", (HERE / "faq.csv").read_bytes())
    async with running_slack() as slack, open_slack_desk(settings_for(folder), slack, knowledge=knowledge) as desk:
        desk.world.names.update(NAMES)
        yield desk


async def answer(desk: SlackDesk, page: SlackPage) -> list[Picture]:
    """A known question in a support channel, and the thanks for a vote."""
    cleo = desk.person("UCLEO")
    ts = await cleo.says(HELP, KNOWN)
    asked = shown(desk, HELP, ts)
    reply = await desk.reply(HELP, ts)
    await cleo.clicks(HELP, reply, "vote_up")
    await desk.until(lambda: desk.world.ephemerals)
    await cleo.clicks(HELP, reply, "sources")
    said = [page.message(asked), page.message(reply), page.whisper(desk.world.ephemerals[-1])]
    return [
        Picture("slack-answer", page.thread("Thread in #help", said)),
        Picture("slack-sources", page.modal(desk.world.views[-1])),
    ]


async def review(desk: SlackDesk, page: SlackPage) -> list[Picture]:
    """A request that a person decides: what the customer sees, and the staff's card before and after."""
    dan = desk.person("UDAN")
    ts = await dan.says(HELP, REFUND)
    asked, notice = shown(desk, HELP, ts), await desk.reply(HELP, ts)
    card = await desk.card()
    before = deepcopy(card)
    await desk.staff.clicks(STAFF, card, "card_edit")
    form = desk.world.views[-1]
    await desk.staff.submits(form, EDITED)
    reply = await desk.reply(HELP, ts, 2)
    await desk.until(lambda: "card_edit" not in str(card["blocks"]))
    thread = map(page.message, (asked, notice, reply))
    columns = ("While it waits", page.message(before)), ("After the decision", page.message(card))
    return [
        Picture("slack-waiting", page.thread("Thread in #help", thread)),
        Picture("slack-card", page.beside(*columns), width=1100),
        Picture("slack-edit", page.modal(form)),
    ]


async def homes(desk: SlackDesk, page: SlackPage) -> list[Picture]:
    """App Home as a customer and as a member of staff."""
    dan = desk.person("UDAN")
    await dan.says(f"D{dan.user}", UNKNOWN)
    await desk.card(2)
    await dan.opens_home()
    await desk.staff.opens_home()
    views = [await home_of(desk, person) for person in (dan, desk.staff)]
    return [
        Picture(f"slack-home-{who}", page.home(view)) for who, view in zip(("customer", "staff"), views, strict=True)
    ]


async def status(desk: SlackDesk, page: SlackPage) -> Picture:
    """`/deskhand status`, by a member of staff and by a customer."""
    said = []
    for person in (desk.staff, desk.person("UDAN")):
        await person.commands(HELP, "status")
        said += [page.typed(person.user, "/deskhand status"), page.whisper(desk.world.responses[-1])]
    return Picture("slack-status", page.thread("#help", said))


async def assistant(desk: SlackDesk, page: SlackPage) -> Picture:
    """The assistant pane: suggestions, the working sign, the answer."""
    cleo = desk.person("UCLEO")
    pane = f"D{cleo.user}"
    ts = await cleo.opens_assistant()
    prompts = await desk.until(lambda: desk.world.prompts.get((pane, ts)))
    asked = await cleo.says(pane, prompts["prompts"][0]["message"], ts)
    await desk.until(lambda: len(desk.world.thread(pane, ts)) == 3)
    await desk.until(lambda: (pane, ts) in desk.world.titles)
    status = next(sign for channel, thread, sign in desk.world.statuses if thread == ts and channel == pane and sign)
    said = [page.prompts(prompts), page.message(shown(desk, pane, asked)), page.status(status)]
    return Picture(
        "slack-assistant",
        page.thread(desk.world.titles[pane, ts], [*said, page.message(desk.world.thread(pane, ts)[-1])]),
    )


async def home_of(desk: SlackDesk, person: Person) -> Payload:
    """The Home tab of somebody who looks at it."""
    found: Payload = await desk.until(lambda: desk.world.homes.get(person.user))
    return found


def shown(desk: SlackDesk, channel: str, ts: str) -> Payload:
    """A message as it looks now."""
    message = desk.world.find(channel, ts)
    assert message
    return deepcopy(message)
