"""The chat model that the settings name, opened and closed."""

from graph.llm.openai import OpenAIChatModel
from graph.llm.opening import build_chat_model, open_chat_model
from storage.settings import Settings

WITH_MODEL = Settings.model_validate(
    {"model": {"provider": "openai", "name": "gpt", "base_url": "http://model.example"}}
)


async def test_without_a_provider_there_is_none() -> None:
    assert build_chat_model(Settings()) is None
    async with open_chat_model(Settings()) as model:
        assert model is None


async def test_with_a_provider_it_is_open_while_the_block_lasts() -> None:
    async with open_chat_model(WITH_MODEL) as model:
        assert isinstance(model, OpenAIChatModel)
        assert model.name == "gpt"
        assert not model._client._http.is_closed
    assert model._client._http.is_closed
