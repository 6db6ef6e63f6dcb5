"""Fixtures around the simulated Discord; a test module takes them by `pytest_plugins`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from graph.triage.classifier import Classifier
from storage.embeddings.protocol import Embedder
from tests.simulators.discord.desk import DiscordDesk, Server, running_desk
from tests.simulators.discord.server import DiscordSimulator
from tests.support.shared_model import shared_classifier


@pytest.fixture(scope="session")
def warm_classifier() -> Classifier:
    """Fitted once for all tests."""
    return shared_classifier()


@pytest.fixture
async def simulated() -> AsyncIterator[Server]:
    """A simulated on a simulated Discord."""
    async with DiscordSimulator() as simulator:
        yield Server(simulator)


@pytest.fixture
async def desk(
    simulated: Server, tmp_path: Path, embedder: Embedder, warm_classifier: Classifier
) -> AsyncIterator[DiscordDesk]:
    """A desk connected to that simulated."""
    async with running_desk(simulated, tmp_path, embedder, warm_classifier) as desk:
        await desk.connected()
        yield desk
