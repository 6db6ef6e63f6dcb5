"""Chat models on the simulated endpoint."""

from graph.llm.openai import OpenAIChatModel
from tests.simulators.openai.server import OpenAISimulator


class OpenChat:
    """Opens chat models by model settings; `aclose` closes them all."""

    def __init__(self, server: OpenAISimulator) -> None:
        self._server = server
        self._opened: list[OpenAIChatModel] = []

    def __call__(self, **model: object) -> OpenAIChatModel:
        chat = OpenAIChatModel(self._server.settings(**model).model)
        self._opened.append(chat)
        return chat

    async def aclose(self) -> None:
        for chat in self._opened:
            await chat.aclose()
