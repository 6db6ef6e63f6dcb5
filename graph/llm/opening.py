"""Factory: the chat model that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from graph.llm.metrics import ModelMetrics
from graph.llm.protocol import ChatModel
from storage.settings import Settings


def build_chat_model(settings: Settings, metrics: ModelMetrics | None = None) -> ChatModel | None:
    """The chat model of the settings, or None for the embedded default; no network yet."""
    if settings.model.provider == "none":
        return None
    # Its client takes a second of the start and 30 MB of memory, which only a desk with a chat model should spend.
    from graph.llm.openai import OpenAIChatModel  # noqa: PLC0415

    return OpenAIChatModel(settings.model, metrics)


@asynccontextmanager
async def open_chat_model(settings: Settings, metrics: ModelMetrics | None = None) -> AsyncIterator[ChatModel | None]:
    """The chat model, if one is set, with its connections closed at the end."""
    model = build_chat_model(settings, metrics)
    try:
        yield model
    finally:
        if model is not None:
            await model.aclose()
