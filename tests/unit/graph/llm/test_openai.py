import asyncio
from typing import Literal

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import BaseModel, ConfigDict, Field

from graph.errors import ModelInvalidError, ModelRejectedRequestError, ModelUnavailableError
from graph.llm.metrics import ModelMetrics
from graph.llm.openai import OpenAIChatModel
from graph.llm.opening import build_chat_model
from graph.llm.prompts.templates import Prompt
from graph.llm.structured_output import StructuredOutputMethod
from storage.settings import Settings
from tests.simulators.openai.behaviours import (
    Behaviour,
    answering,
    by_method,
    calling_with,
    cut_off,
    empty_choices,
    empty_object,
    invalid_json,
    odd_endpoint,
    out_of_range,
    saying,
    slow,
    status,
    without,
)
from tests.simulators.openai.chat import OpenChat
from tests.simulators.openai.server import OpenAISimulator

pytest_plugins = ["tests.simulators.openai.fixtures"]

PROMPT = Prompt(name="rating", system="Rate the text.", user="It is fine.", version="test")
GOOD = {"score": 0.5, "label": "good"}


class Rating(BaseModel):
    model_config = ConfigDict(extra="forbid")

    score: float = Field(ge=0, le=1)
    label: Literal["good", "bad"]


def ways(server: OpenAISimulator) -> list[str]:
    return [call.method for call in server.chats]


def test_without_a_provider_there_is_no_chat_model() -> None:
    assert build_chat_model(Settings()) is None


async def test_an_endpoint_with_json_schema_is_asked_for_it_strictly(
    server: OpenAISimulator, chat: OpenAIChatModel
) -> None:
    server.script(answering(GOOD))
    assert await chat.ask(PROMPT, Rating) == Rating(score=0.5, label="good")
    (call,) = server.chats
    assert call.body["response_format"]["json_schema"]["strict"] is True
    assert call.body["messages"] == [
        {"role": "system", "content": "Rate the text."},
        {"role": "user", "content": "It is fine."},
    ]
    assert chat.method is StructuredOutputMethod.JSON_SCHEMA


@pytest.mark.parametrize("without_schema", [status(500), status(501), status(400), status(422), status(404)])
async def test_an_endpoint_without_json_schema_is_asked_by_function_calling_and_this_is_remembered(
    server: OpenAISimulator, chat: OpenAIChatModel, without_schema: Behaviour
) -> None:
    server.default = by_method(json_schema=without_schema)
    await chat.ask(PROMPT, Rating)
    server.calls.clear()
    await chat.ask(PROMPT, Rating)
    assert ways(server) == ["function_calling"]
    assert server.chats[0].body["tool_choice"] == {"type": "function", "function": {"name": "Rating"}}
    assert chat.stats.repairs == 0


async def test_a_stumble_of_the_first_request_does_not_hide_json_schema(
    server: OpenAISimulator, chat: OpenAIChatModel
) -> None:
    server.script(status(500))
    await chat.ask(PROMPT, Rating)
    assert ways(server) == ["json_schema", "json_schema"]
    assert chat.method is StructuredOutputMethod.JSON_SCHEMA


async def test_an_endpoint_that_ignores_schemas_and_tools_ends_in_json_mode_with_the_schema_in_the_prompt(
    server: OpenAISimulator, chat: OpenAIChatModel
) -> None:
    server.default = by_method(json_schema=saying("Fine, I think."), function_calling=saying("Fine."))
    await chat.ask(PROMPT, Rating)
    assert ways(server) == ["json_schema", "function_calling", "json_mode"]
    assert '"maximum":1' in server.chats[-1].body["messages"][0]["content"]
    assert chat.method is StructuredOutputMethod.JSON_MODE


@pytest.mark.parametrize("bad", [empty_object, without("label"), invalid_json, empty_choices])
async def test_an_answer_of_the_wrong_shape_leads_to_the_next_method(
    server: OpenAISimulator, chat: OpenAIChatModel, bad: Behaviour
) -> None:
    server.default = by_method(json_schema=bad)
    await chat.ask(PROMPT, Rating)
    assert ways(server) == ["json_schema", "function_calling"]


async def test_the_server_that_fails_by_every_method_is_repaired_by_function_calling(
    server: OpenAISimulator, chat: OpenAIChatModel
) -> None:
    server.script(odd_endpoint, odd_endpoint, odd_endpoint, answering(GOOD))
    assert (await chat.ask(PROMPT, Rating)).label == "good"
    assert ways(server) == ["json_schema", "json_schema", "function_calling", "function_calling"]
    assert chat.method is StructuredOutputMethod.FUNCTION_CALLING
    assert chat.stats.repairs == 1


async def test_the_server_that_fails_by_every_method_is_rejected_when_it_never_learns(
    server: OpenAISimulator, chat: OpenAIChatModel
) -> None:
    server.default = odd_endpoint
    with pytest.raises(ModelInvalidError):
        await chat.ask(PROMPT, Rating)
    assert len(server.chats) == 4
    with pytest.raises(ModelInvalidError):
        await chat.ask(PROMPT, Rating)
    assert ways(server)[4:] == ["function_calling", "function_calling"]


async def test_the_first_questions_at_the_same_time_probe_once(server: OpenAISimulator, chat: OpenAIChatModel) -> None:
    server.default = by_method(json_schema=slow(0.02, status(400)))
    await asyncio.gather(*(chat.ask(PROMPT, Rating) for _ in range(5)))
    assert ways(server).count("json_schema") == 1
    assert ways(server).count("function_calling") == 5


async def test_a_probe_that_fails_leaves_the_finding_to_the_next_question(
    server: OpenAISimulator, open_chat: OpenChat
) -> None:
    chat = open_chat(retries=0)
    server.script(status(503))
    results = await asyncio.gather(*(chat.ask(PROMPT, Rating) for _ in range(2)), return_exceptions=True)
    assert isinstance(results[0], ModelUnavailableError)
    assert isinstance(results[1], Rating)


@pytest.mark.parametrize("method", list(StructuredOutputMethod))
async def test_the_method_can_be_set(
    server: OpenAISimulator, open_chat: OpenChat, method: StructuredOutputMethod
) -> None:
    server.script(answering(GOOD))
    await open_chat(structure=method.value).ask(PROMPT, Rating)
    assert ways(server) == [method.value]


async def test_a_set_method_that_the_endpoint_rejects_is_an_error(server: OpenAISimulator, open_chat: OpenChat) -> None:
    server.default = status(400)
    with pytest.raises(ModelRejectedRequestError):
        await open_chat(structure="json_schema").ask(PROMPT, Rating)
    assert len(server.chats) == 1


@pytest.mark.parametrize(
    "bad",
    [
        out_of_range,
        answering({"score": 0.5, "label": "ugly"}),
        answering({**GOOD, "extra": 1}),
        invalid_json,
        empty_object,
        cut_off,
        empty_choices,
        saying(""),
    ],
)
@pytest.mark.parametrize("method", list(StructuredOutputMethod))
async def test_an_unusable_answer_is_asked_for_once_more(
    server: OpenAISimulator, open_chat: OpenChat, method: StructuredOutputMethod, bad: Behaviour
) -> None:
    chat = open_chat(structure=method.value)
    server.script(bad, answering(GOOD))
    assert (await chat.ask(PROMPT, Rating)).label == "good"
    assert len(server.chats) == 2
    assert (chat.stats.repairs, chat.stats.rejections) == (1, 0)


@pytest.mark.parametrize("bad", [out_of_range, empty_object, invalid_json, cut_off, empty_choices])
async def test_an_answer_that_stays_unusable_is_rejected_after_one_repair(
    server: OpenAISimulator, open_chat: OpenChat, bad: Behaviour
) -> None:
    chat = open_chat(structure="function_calling")
    server.default = bad
    with pytest.raises(ModelInvalidError):
        await chat.ask(PROMPT, Rating)
    assert len(server.chats) == 2
    assert (chat.stats.repairs, chat.stats.rejections) == (1, 1)


async def test_the_repair_names_what_was_wrong(server: OpenAISimulator, chat: OpenAIChatModel) -> None:
    server.script(out_of_range, answering(GOOD))
    await chat.ask(PROMPT, Rating)
    *_, answer, complaint = server.chats[1].body["messages"]
    assert answer["role"] == "assistant"
    assert "999" in answer["content"]
    assert "- score: Input should be less than or equal to 1" in complaint["content"]


async def test_an_answer_that_was_cut_off_is_asked_for_shorter(server: OpenAISimulator, chat: OpenAIChatModel) -> None:
    server.script(cut_off, answering(GOOD))
    await chat.ask(PROMPT, Rating)
    assert ways(server) == ["json_schema", "json_schema"]
    assert "much shorter" in server.chats[1].body["messages"][-1]["content"]


@pytest.mark.parametrize(
    "wrapped",
    [
        saying('```json\n{"score": 0.5, "label": "good"}\n```'),
        saying('<think>Hm, a rating.</think>\n{"score": 0.5, "label": "good"}'),
        by_method(function_calling=calling_with('{"score": 0.5, "label": "good"}'), json_mode=answering(GOOD)),
    ],
)
@pytest.mark.parametrize("method", ["function_calling", "json_mode"])
async def test_json_in_a_wrapping_is_understood(
    server: OpenAISimulator, open_chat: OpenChat, method: str, wrapped: Behaviour
) -> None:
    server.script(wrapped)
    assert (await open_chat(structure=method).ask(PROMPT, Rating)).label == "good"
    assert len(server.chats) == 1


async def test_everything_is_counted_for_people_and_for_prometheus(server: OpenAISimulator) -> None:
    registry = CollectorRegistry()
    chat = OpenAIChatModel(server.settings().model, ModelMetrics(registry))
    server.script(answering(GOOD), out_of_range, out_of_range, cut_off, answering(GOOD))
    await chat.ask(PROMPT, Rating)
    with pytest.raises(ModelInvalidError):
        await chat.ask(PROMPT, Rating)
    await chat.ask(PROMPT, Rating)
    await chat.aclose()
    stats = chat.stats
    assert (stats.asks, stats.requests, stats.repairs, stats.rejections) == (3, 5, 2, 1)
    assert (stats.input_tokens, stats.output_tokens) == (500, 100)
    assert stats.errors == {"model-invalid": 1}
    page = generate_latest(registry).decode()
    assert "deskhand_model_repairs_total 2.0" in page
    assert 'deskhand_model_errors_total{kind="model-invalid"} 1.0' in page
    assert "deskhand_model_seconds_count 3.0" in page


async def test_two_models_can_be_open_in_one_process(open_chat: OpenChat) -> None:
    assert open_chat().stats == open_chat().stats
