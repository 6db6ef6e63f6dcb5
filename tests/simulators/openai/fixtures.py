"""Fixtures around the simulated endpoint; a test module takes them by `pytest_plugins`."""

from collections.abc import AsyncIterator, Iterator

import pytest

from graph.llm.openai import OpenAIChatModel
from tests.simulators.openai.chat import OpenChat
from tests.simulators.openai.server import OpenAISimulator


@pytest.fixture(scope="module")
def endpoint() -> Iterator[OpenAISimulator]:
    with OpenAISimulator() as simulator:
        yield simulator


@pytest.fixture
def server(endpoint: OpenAISimulator) -> OpenAISimulator:
    endpoint.reset()
    return endpoint


@pytest.fixture
async def open_chat(server: OpenAISimulator) -> AsyncIterator[OpenChat]:
    opener = OpenChat(server)
    yield opener
    await opener.aclose()


@pytest.fixture
def chat(open_chat: OpenChat) -> OpenAIChatModel:
    return open_chat()
