"""What the graph asks of a chat model, and the door to the one that the settings name."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from pydantic import BaseModel

from graph.llm.metrics import ModelMetrics
from graph.llm.prompts.templates import Prompt
from storage.settings import Settings

T = TypeVar("T", bound=BaseModel)


class ChatModel(Protocol):
    """One endpoint and model."""

    name: str

    async def ask(self, prompt: Prompt, schema: type[T]) -> T:
        """The model's answer as a valid `schema`. Raises a ModelError whose `detail` is a sentence for the agent."""
        ...

    async def check(self) -> None:
        """Ask something trivial, to see whether the endpoint answers. Raises a ModelError that says why not."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


def open_chat_model(settings: Settings, meter: ModelMetrics | None = None) -> ChatModel | None:
    """The chat model of the settings, or None for the embedded default; no network yet.

    Its client takes a second of the start and 30 MB of memory: it is imported when a model is set, not before.
    """
    if settings.model.provider == "none":
        return None
    model: ChatModel | None = importlib.import_module("graph.llm.openai").open_model(settings, meter)
    return model


@asynccontextmanager
async def opened_model(settings: Settings, meter: ModelMetrics | None = None) -> AsyncIterator[ChatModel | None]:
    """The chat model, if one is set, with its connections closed at the end."""
    model = open_chat_model(settings, meter)
    try:
        yield model
    finally:
        if model is not None:
            await model.aclose()
