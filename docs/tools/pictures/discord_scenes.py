"""The stories that Discord's pictures show, told through the real client library against the simulated Discord."""

from copy import deepcopy
from pathlib import Path

from docs.tools.pictures.discord_page import DiscordPage
from docs.tools.pictures.parts import (
    HERE,
    Payload,
    Picture,
    tag,
)
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from storage.embeddings.opening import load_embedder
from storage.records import Installation
from storage.settings import Settings
from tests.simulators.discord.desk import (
    DiscordDesk,
    Server,
    running_desk,
)
from tests.simulators.discord.interactions import Interaction
from tests.simulators.discord.server import DiscordSimulator
from tests.simulators.discord.world import World
from tests.support.waiting import until_true

REFUND = "I was charged for the yearly plan yesterday but we never used it. I want my money back."
EDITED = "Sorry about that, Carl. I have cancelled the plan for you: the money is back on your card by *Friday*."


async def discord_pictures(folder: Path) -> list[Picture]:
    """Every picture of Discord; the desk's data goes into the folder."""
    embedder = load_embedder(Settings(data_dir=folder / "embedder"))
    classifier, knowledge = Classifier(embedder, load_examples()), (HERE / "faq.csv").read_bytes()
    async with DiscordSimulator() as simulator:
        server = Server(simulator, "Plovermark")
        async with running_desk(server, folder, embedder, classifier, knowledge=knowledge) as desk:
            await desk.connected()
            return [
                await post(desk),
                await ask(desk),
                await button(desk),
                *await review(desk),
                await take_over(desk),
                await which_team(desk),
            ]


def page_of(desk: DiscordDesk) -> DiscordPage:
    """A page that knows everybody and every channel there is by now."""
    world: World = desk.simulator.world
    names = {id_: str(user["global_name"]) for id_, user in world.users.items()}
    names |= {id_: f"#{channel.get('name', '')}" for id_, channel in world.channels.items()}
    return DiscordPage(names, str(world.bot["id"]))


async def post(desk: DiscordDesk) -> Picture:
    """A post in the support forum and its answer."""
    server = desk.server
    thread = server.ann.post(server.forum, "Forgot my password", "How do I reset my password?")
    await desk.said(thread)
    page = page_of(desk)
    messages = map(page.message, desk.simulator.messages(thread))
    return Picture("discord-post", page.channel("Forgot my password", messages, tags_of(server.forum, thread)))


async def ask(desk: DiscordDesk) -> Picture:
    """`/ask` in a text channel."""
    answer = await desk.server.carl.command(
        desk.server.general, "ask", question="How do I turn on two-step verification?"
    )
    await answer.told()
    page = page_of(desk)
    return Picture("discord-ask", page.channel("#general", told(page, answer, "Carl used /ask")))


async def button(desk: DiscordDesk) -> Picture:
    """A mention in a text channel: the thread, a follow-up that was pressed, and its answer."""
    server = desk.server
    question = server.carl.mention(server.general, "Which browsers are supported?")
    (reply,) = await desk.said(question["id"])
    pressed = await server.carl.click(reply, "👍")
    await pressed.told()
    page = page_of(desk)
    said = [page.message(question), *map(page.message, desk.simulator.messages(question["id"]))]
    return Picture("discord-thread", page.channel("Which browsers are supported?", [*said, *told(page, pressed)]))


async def review(desk: DiscordDesk) -> list[Picture]:
    """A request that a person decides: the post, the team's card before and after, and the form."""
    server = desk.server
    thread = server.carl.post(server.forum, "Refund", REFUND)
    (card,) = await desk.said(server.staff_room)
    before = deepcopy(card)
    form = await server.sue.click(card, "Edit")
    await server.sue.submit(form, text=EDITED)
    await desk.said(thread, 2)

    def is_over() -> bool:
        return not desk.simulator.world.messages[card["channel_id"]][card["id"]]["components"]

    await until_true(is_over, "the card to say who decided")
    page = page_of(desk)
    after = desk.simulator.world.messages[card["channel_id"]][card["id"]]
    columns = ("While it waits", page.message(before)), ("After the decision", page.message(after))
    messages = list(map(page.message, desk.simulator.messages(thread)))
    return [
        Picture("discord-waiting", page.channel("Refund", messages, tags_of(server.forum, thread))),
        Picture("discord-card", page.beside(*columns), width=1100),
        Picture("discord-edit", page.form(form.data)),
    ]


async def take_over(desk: DiscordDesk) -> Picture:
    """A member of the team writes in a customer's thread, and hands it back."""
    server = desk.server
    thread = server.ann.post(server.forum, "On our own server?", "Is there a version that we can run ourselves?")
    await desk.said(thread)
    server.sue.say(thread, "Hi Ann, not yet. Which country must your data stay in? Then I can check what we can do.")
    await desk.process.jobs.idle()
    page, tags = page_of(desk), tags_of(server.forum, thread)
    said = list(map(page.message, desk.simulator.messages(thread)))
    answer = server.ann.say(thread, "In Switzerland. And how do I export my data?")
    await desk.process.jobs.idle()
    handed = await server.sue.command(thread, "handback")
    await handed.told()
    reply = (await desk.said(thread, 2))[-1]
    said += [page.message(answer), *told(page, handed, "Sue used /handback"), page.message(reply)]
    return Picture("discord-take-over", page.channel("On our own server?", said, tags))


async def which_team(desk: DiscordDesk) -> Picture:
    """A direct message of somebody who shares servers with two teams."""
    world, ann = desk.simulator.world, desk.server.ann
    other = world.add_guild("Northwind Bikes")
    other.members[ann.id] = []
    await desk.store.accounts.workspaces.create("northwind", "Northwind")
    await desk.store.channels.installations.keep(Installation("northwind", "discord", other.id, name=other.name))
    ann.say(ann.direct, "Hi, how do I export my data?")
    (question,) = await desk.said(ann.direct)
    page = page_of(desk)
    said = list(map(page.message, deepcopy(desk.simulator.messages(ann.direct))))
    await ann.click(question, "Plovermark")
    await desk.said(ann.direct, 2)
    said += [tag("div", "After the choice", "used"), *map(page.message, desk.simulator.messages(ann.direct)[1:])]
    return Picture("discord-which-team", page.channel("@Deskhand", said))


def told(page: DiscordPage, answer: Interaction, used: str = "") -> list[str]:
    """What an interaction showed to its user only."""
    shown = [message for message in answer.shown if not message.get("loading")]
    return [page.message(message, only_you=True, used=used) for message in shown]


def tags_of(forum: Payload, thread: Payload) -> list[str]:
    """The names of a post's tags."""
    names = {tag["id"]: str(tag["name"]) for tag in forum["available_tags"]}
    return [names[id_] for id_ in thread["applied_tags"]]
