"""Direct messages of people who share servers with several teams: asked once which team they mean."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from graph.triage.classifier import Classifier
from storage.embeddings.protocol import Embedder
from storage.errors import ConflictError
from storage.records import ConversationStatus, Installation
from tests.simulators.discord.desk import (
    DiscordDesk,
    Server,
    found,
    running_desk,
)
from tests.simulators.discord.people import Person, labels_of
from tests.simulators.discord.world import Guild, Payload
from tests.support.waiting import until_true

pytest_plugins = ["tests.simulators.discord.fixtures"]

QUESTION, EXPORT = "How do I reset my password?", "How do I export my data?"
FAQ = f"question,answer\n{QUESTION},Ask the *Beta* robot for a password.\n{EXPORT},Beta keeps no data.\n".encode()
Opened = Callable[[], AbstractAsyncContextManager[DiscordDesk]]


@pytest.fixture
def beta(simulated: Server) -> Guild:
    """A second team's server, in which Ann is too."""
    guild = simulated.simulator.world.add_guild("Beta")
    guild.members[simulated.ann.id] = []
    return guild


@pytest.fixture
def opened(simulated: Server, beta: Guild, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier) -> Opened:
    """Starts the desk of both teams; again is after a restart."""

    @asynccontextmanager
    async def start() -> AsyncIterator[DiscordDesk]:
        async with running_desk(simulated, tmp_path, embedder, warm_classifier) as desk:
            await add_beta(desk, beta)
            await desk.connected()
            yield desk

    return start


async def add_beta(desk: DiscordDesk, guild: Guild) -> None:
    try:
        await desk.store.accounts.workspaces.create("beta", "Beta Ltd")
    except ConflictError:
        return
    document = await desk.store.knowledge.catalogue.create("beta", "faq.csv", FAQ)
    await desk.store.knowledge.catalogue.load_document(document.id)
    await desk.store.channels.installations.keep(Installation("beta", "discord", guild.id, name="Beta"))
    await desk.store.channels.installations.keep(Installation("demo", "discord", desk.server.guild.id, name="Acme"))


async def kept(desk: DiscordDesk, workspace: str, person: Person) -> list[str]:
    """What a workspace keeps of a person's direct messages."""
    conversation = await desk.store.conversations.threads.find(workspace, "discord", person.direct["id"])
    if conversation is None:
        return []
    said = await desk.store.conversations.messages.of_conversation(workspace, conversation.id)
    return [message.text for message in said if message.author == "customer"]


async def asked(desk: DiscordDesk, person: Person) -> Payload:
    """The question which team it is for."""
    (question,) = await desk.said(person.direct)
    assert "Which one is this for" in question["content"]
    return question


async def test_who_knows_several_teams_is_asked_once_and_all_they_wrote_goes_to_the_chosen_one(opened: Opened) -> None:
    async with opened() as desk:
        ann = desk.server.ann
        ann.say(ann.direct, QUESTION)
        question = await asked(desk, ann)
        assert sorted(labels_of(question)) == ["Acme", "Beta"]
        ann.say(ann.direct, EXPORT)
        await desk.process.jobs.idle()
        await ann.click(question, "Beta")
        reply = (await desk.said(ann.direct, 2))[-1]
        assert "Beta" in reply["content"]
        assert await kept(desk, "beta", ann) == [QUESTION, EXPORT]
        assert await kept(desk, "demo", ann) == []
        shown = desk.simulator.world.messages[ann.direct["id"]][question["id"]]
        assert (shown["content"], shown["components"]) == ("This conversation is with **Beta**.", [])


async def test_the_conversation_goes_on_with_the_chosen_team_without_another_question(opened: Opened) -> None:
    async with opened() as desk:
        ann = desk.server.ann
        ann.say(ann.direct, QUESTION)
        await ann.click(await asked(desk, ann), "Beta")
        reply = (await desk.said(ann.direct, 2))[-1]
        solved = await ann.click(reply, "Solved")
        assert "Marked as solved" in await solved.told()
        ann.say(ann.direct, EXPORT)
        assert "keeps no data" in (await desk.said(ann.direct, 3))[-1]["content"]
        assert await kept(desk, "beta", ann) == [QUESTION, EXPORT]


async def test_the_question_and_the_choice_survive_restarts(opened: Opened) -> None:
    async with opened() as desk:
        ann = desk.server.ann
        ann.say(ann.direct, QUESTION)
        question = await asked(desk, ann)
    ann.say(ann.direct, "Please hurry.")
    async with opened() as desk:
        ann.say(ann.direct, EXPORT)
        await desk.process.jobs.idle()
        assert await asked(desk, ann) == question
        await ann.click(question, "Acme")
        await desk.said(ann.direct, 2)
        assert await kept(desk, "demo", ann) == [QUESTION, "Please hurry.", EXPORT]
    async with opened() as desk:
        ann.say(ann.direct, "Which browsers are supported?")
        assert "Chrome" in (await desk.said(ann.direct, 3))[-1]["content"]


async def test_who_knows_one_team_only_is_not_asked(opened: Opened, beta: Guild) -> None:
    async with opened() as desk:
        bea = desk.simulator.person("bea", beta)
        for person, words in ((bea, "Beta"), (desk.server.carl, "Forgot password")):
            person.say(person.direct, QUESTION)
            assert words in (await desk.said(person.direct))[0]["content"]


async def test_the_choice_holds_even_if_what_they_wrote_is_deleted(opened: Opened) -> None:
    async with opened() as desk:
        ann = desk.server.ann
        first = ann.say(ann.direct, QUESTION)
        question = await asked(desk, ann)
        ann.delete(first)
        await ann.click(question, "Beta")
        await until_true(lambda: "with **Beta**" in desk.simulator.texts(ann.direct)[0], "the choice")
        ann.say(ann.direct, EXPORT)
        assert "keeps no data" in (await desk.said(ann.direct, 2))[-1]["content"]


async def test_once_their_matter_is_closed_they_are_asked_again(opened: Opened) -> None:
    async with opened() as desk:
        ann = desk.server.ann
        ann.say(ann.direct, QUESTION)
        await ann.click(await asked(desk, ann), "Beta")
        await desk.said(ann.direct, 2)
        conversation = await desk.store.conversations.threads.find("beta", "discord", ann.direct["id"])
        assert conversation
        await desk.process.desk.close("beta", conversation.id)
        ann.say(ann.direct, EXPORT)
        assert "Which one is this for" in (await desk.said(ann.direct, 3))[-1]["content"]


async def test_edits_deletions_and_votes_find_the_team_that_keeps_the_message(opened: Opened) -> None:
    async with opened() as desk:
        ann = desk.server.ann
        first = ann.say(ann.direct, QUESTION)
        await ann.click(await asked(desk, ann), "Beta")
        reply = (await desk.said(ann.direct, 2))[-1]
        assert "Thanks" in await (await ann.click(reply, "👍")).told()
        person = ann.say(ann.direct, "I want to talk to a human about my contract, please")

        async def waits() -> bool:
            conversation = await desk.store.conversations.threads.find("beta", "discord", ann.direct["id"])
            return conversation is not None and conversation.status is ConversationStatus.PENDING

        await found(waits, "the review")
        ann.edit(person, "I want to talk to a human about my invoice, please")

        async def edited() -> bool:
            return (await kept(desk, "beta", ann))[-1].endswith("invoice, please")

        await found(edited, "the edit")
        ann.delete(first)

        async def deleted() -> bool:
            return QUESTION not in await kept(desk, "beta", ann)

        await found(deleted, "the deletion")


async def test_commands_in_direct_messages_ask_for_the_server(opened: Opened) -> None:
    async with opened() as desk:
        ann = desk.server.ann
        answer = await ann.command(ann.direct, "status")
        assert "more than one team" in await answer.told()
        await until_true(lambda: not desk.simulator.said_by_bot(ann.direct), "silence")
