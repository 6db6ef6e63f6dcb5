"""SIGKILL at every point of the way of a message, then a restart: nothing lost, nothing doubled."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from commands.process.composition import Process, assemble, working
from graph.checkpoints.opening import open_checkpoints
from graph.state import Deps
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from storage.embeddings.protocol import Embedder
from storage.opening import open_store
from storage.records import (
    Author,
    ConversationStatus,
    Decision,
    DecisionKind,
    ReviewStatus,
)
from tests.acceptance.processes.dying_desk import HELD, POINTS, message
from tests.simulators.platform import Platform, PlatformChannel, running_platform
from tests.support.settings import settings_for
from tests.support.shared_model import lend_model


async def die(folder: Path, point: str, platform: Platform) -> None:
    """Run a desk that is killed at this point."""
    lend_model(folder / "data")
    command = (sys.executable, "-m", "tests.acceptance.processes.dying_desk", str(folder), point, platform.url)
    child = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await child.communicate()
    assert child.returncode == -signal.SIGKILL, errors.decode()


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_desk_goes_on_where_it_was(point: str, tmp_path: Path, embedder: Embedder) -> None:
    async with running_platform() as platform:
        await die(tmp_path, point, platform)
        settings = settings_for(tmp_path)
        async with open_store(settings, embedder) as store, open_checkpoints(settings) as checkpoints:
            deps = Deps(settings, store.knowledge.index, Classifier(embedder, load_examples()), None)
            process = assemble(settings, store, checkpoints, deps, {"slack": PlatformChannel(platform.url)})
            async with working(process):
                # The platform repeats what was not acknowledged, and what was.
                await process.intake.accept(message("How do I reset my password?"))
                await process.jobs.idle()
                if point in HELD:
                    await decide_if_pending(process)
                await settled(process, platform, held=point in HELD)


async def decide_if_pending(process: Process) -> None:
    review = (await process.store.conversations.reviews.page("demo")).items[-1]
    if review.status is ReviewStatus.PENDING:
        (agent,) = await process.store.accounts.members.all("demo")
        await process.desk.decide(
            agent, review.id, Decision(kind=DecisionKind.EDIT, text="A person's reply."), based_on=1
        )
        await process.jobs.idle()


async def settled(process: Process, platform: Platform, *, held: bool) -> None:
    """The customer's one message has exactly one reply, shown once, in order."""
    (conversation,) = (await process.store.conversations.reading.page("demo")).items
    messages = await process.store.conversations.messages.of_conversation("demo", conversation.id)
    authors = [message.author for message in messages]
    if held:
        assert authors == [Author.CUSTOMER, Author.SYSTEM, Author.AGENT]
    else:
        assert authors == [Author.CUSTOMER, Author.BOT]
    assert [post.text for post in platform.posts] == [message.text for message in messages[1:]]
    assert conversation.status is ConversationStatus.OPEN
    assert (await process.store.conversations.reviews.page("demo", ReviewStatus.PENDING)).items == ()
    assert await waiting_checkpoints(process) == 0


async def waiting_checkpoints(process: Process) -> int:
    return len([item async for item in process.runner.checkpoints.alist(None)])
