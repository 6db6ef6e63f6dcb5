import asyncio
import logging
import socket
import time

import pytest
from pydantic import BaseModel, ConfigDict
from structlog.testing import capture_logs

from graph.errors import (
    ModelError,
    ModelPromptTooLongError,
    ModelRateLimitedError,
    ModelRefusedError,
    ModelRejectedKeyError,
    ModelRejectedRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from graph.llm.openai import OpenAIChatModel
from graph.llm.prompts.templates import Prompt
from storage.settings import Settings
from tests.simulators.openai.behaviours import (
    Behaviour,
    broken_json,
    by_method,
    content_filter,
    dropped,
    dropped_in_body,
    dropped_in_headers,
    good,
    html_page,
    invalid_json,
    never,
    null_choices,
    refusal,
    slow,
    status,
)
from tests.simulators.openai.chat import OpenChat
from tests.simulators.openai.server import OpenAISimulator

pytest_plugins = ["tests.simulators.openai.fixtures"]

SECRET = "the customer's own words"
PROMPT = Prompt(name="note", system="Take a note.", user=SECRET, version="test")
DEADLINE = 0.3
SLACK = 1.0
"""Seconds that a slow machine may take on top."""

PASSING = [status(429), status(500), status(503), status(408), dropped, dropped_in_headers, dropped_in_body]


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str


@pytest.fixture
def hurried(open_chat: OpenChat) -> OpenAIChatModel:
    return open_chat(timeout_seconds=DEADLINE, structure="json_schema")


@pytest.fixture
def patient(open_chat: OpenChat) -> OpenAIChatModel:
    return open_chat(timeout_seconds=DEADLINE + SLACK, structure="json_schema")


async def failure(chat: OpenAIChatModel) -> ModelError:
    """How the ask fails, within its deadline."""
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        await chat.ask(PROMPT, Note)
    assert time.monotonic() - started < DEADLINE + SLACK
    assert caught.value.detail.endswith((".", "?"))
    assert chat.stats.errors == {caught.value.kind: 1}
    return caught.value


@pytest.mark.parametrize("passing", PASSING)
async def test_a_failure_that_passes_is_tried_again(
    server: OpenAISimulator, patient: OpenAIChatModel, passing: Behaviour
) -> None:
    server.script(passing, passing)
    assert await patient.ask(PROMPT, Note) == Note(text="text")
    assert len(server.chats) == 3
    assert (patient.stats.requests, patient.stats.retries, patient.stats.repairs) == (3, 2, 0)


@pytest.mark.parametrize("lasting", PASSING)
async def test_a_failure_that_lasts_ends_after_the_configured_retries(
    server: OpenAISimulator, patient: OpenAIChatModel, lasting: Behaviour
) -> None:
    server.default = lasting
    error = await failure(patient)
    assert isinstance(error, ModelUnavailableError)
    assert not isinstance(error, ModelTimeoutError)
    assert len(server.chats) == 3


async def test_no_retries_means_one_request(server: OpenAISimulator, open_chat: OpenChat) -> None:
    server.default = status(503)
    error = await failure(open_chat(retries=0))
    assert error.detail == "The chat model answered with error 503."
    assert len(server.chats) == 1


async def test_an_endpoint_that_answers_500_to_every_method_is_unavailable(
    server: OpenAISimulator, open_chat: OpenChat
) -> None:
    server.default = status(500)
    error = await failure(open_chat(timeout_seconds=DEADLINE + SLACK))
    assert error.detail == "The chat model answered with error 500."
    assert len(server.chats) == 6


async def test_a_retry_waits_as_long_as_the_endpoint_asks(server: OpenAISimulator, chat: OpenAIChatModel) -> None:
    server.script(status(429, retry_after=0.15))
    started = time.monotonic()
    await chat.ask(PROMPT, Note)
    assert time.monotonic() - started >= 0.15
    assert len(server.chats) == 2


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("code", [429, 503])
async def test_a_wait_beyond_the_deadline_is_given_up_at_once(
    server: OpenAISimulator, open_chat: OpenChat, code: int, as_date: bool
) -> None:
    server.default = status(code, retry_after=60, as_date=as_date)
    error = await failure(open_chat(timeout_seconds=20.0))
    assert isinstance(error, ModelUnavailableError)
    assert error.retry_after == pytest.approx(60, abs=2)
    assert len(server.chats) == 1


@pytest.mark.parametrize("header", ["0", "-5", "nan", "soon", ""])
async def test_a_senseless_retry_after_is_ignored(
    server: OpenAISimulator, patient: OpenAIChatModel, header: str
) -> None:
    server.script(status(429, headers={"retry-after": header}))
    await patient.ask(PROMPT, Note)
    assert len(server.chats) == 2


async def test_a_used_up_quota_is_not_tried_again(server: OpenAISimulator, patient: OpenAIChatModel) -> None:
    server.default = status(429, error_code="insufficient_quota")
    assert isinstance(await failure(patient), ModelRateLimitedError)
    assert len(server.chats) == 1


async def test_an_endpoint_that_never_answers_is_given_up_at_the_deadline(
    server: OpenAISimulator, hurried: OpenAIChatModel
) -> None:
    server.default = never
    error = await failure(hurried)
    assert isinstance(error, ModelTimeoutError)
    assert error.detail == "The chat model did not answer within 0.3 s."
    assert len(server.chats) == 1


async def test_the_deadline_holds_for_all_tries_together(server: OpenAISimulator, open_chat: OpenChat) -> None:
    server.default = slow(0.12, status(503))
    error = await failure(open_chat(timeout_seconds=DEADLINE, retries=10))
    assert isinstance(error, ModelUnavailableError)
    assert len(server.chats) <= 3


async def test_the_deadline_holds_for_the_repair_too(server: OpenAISimulator, hurried: OpenAIChatModel) -> None:
    server.script(invalid_json, never)
    assert isinstance(await failure(hurried), ModelTimeoutError)
    assert len(server.chats) == 2


async def test_questions_that_wait_for_a_hanging_probe_keep_their_own_deadline(
    server: OpenAISimulator, open_chat: OpenChat
) -> None:
    server.default = never
    chat = open_chat(timeout_seconds=DEADLINE)
    started = time.monotonic()
    results = await asyncio.gather(*(chat.ask(PROMPT, Note) for _ in range(8)), return_exceptions=True)
    assert all(isinstance(result, ModelTimeoutError) for result in results)
    assert time.monotonic() - started < DEADLINE + SLACK


async def test_a_slow_first_byte_within_the_deadline_is_fine(server: OpenAISimulator, patient: OpenAIChatModel) -> None:
    server.script(slow(0.1))
    await patient.ask(PROMPT, Note)
    assert len(server.chats) == 1


async def test_a_port_where_nobody_listens_is_unavailable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        settings = {"provider": "openai", "base_url": url, "timeout_seconds": DEADLINE + SLACK}
        chat = OpenAIChatModel(Settings.model_validate({"model": settings}).model)
        assert (await failure(chat)).detail == "The chat model cannot be reached."
        assert chat.stats.requests == 3
        await chat.aclose()


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
@pytest.mark.parametrize(
    "declining", [refusal, content_filter, status(400, error_code="content_filter")], ids=["field", "finish", "status"]
)
async def test_a_refusal_is_neither_repaired_nor_tried_again(
    server: OpenAISimulator, open_chat: OpenChat, declining: Behaviour, method: str
) -> None:
    server.default = declining
    assert isinstance(await failure(open_chat(structure=method)), ModelRefusedError)
    assert len(server.chats) == 1


async def test_a_refusal_of_the_first_question_does_not_probe_further(
    server: OpenAISimulator, chat: OpenAIChatModel
) -> None:
    server.default = refusal
    assert isinstance(await failure(chat), ModelRefusedError)
    assert len(server.chats) == 1


async def test_a_wrong_key_is_named_and_not_tried_again(server: OpenAISimulator, open_chat: OpenChat) -> None:
    server.key = "sk-right"
    error = await failure(open_chat(api_key="sk-wrong"))
    assert isinstance(error, ModelRejectedKeyError)
    assert "OPENAI_API_KEY" in error.detail
    assert "sk-" not in error.detail
    assert len(server.chats) == 1


async def test_the_right_key_opens(server: OpenAISimulator, open_chat: OpenChat) -> None:
    server.key = "sk-right"
    await open_chat(api_key="sk-right").ask(PROMPT, Note)


async def test_an_unknown_model_is_a_matter_for_the_admin(server: OpenAISimulator, chat: OpenAIChatModel) -> None:
    server.default = status(404, error_code="model_not_found")
    error = await failure(chat)
    assert isinstance(error, ModelRejectedRequestError)
    assert "`model.name`" in error.detail


async def test_a_prompt_beyond_the_context_window_is_named(server: OpenAISimulator, chat: OpenAIChatModel) -> None:
    server.default = status(400, error_code="context_length_exceeded", message="context_length_exceeded: too many")
    assert isinstance(await failure(chat), ModelPromptTooLongError)
    assert len(server.chats) == 1


@pytest.mark.parametrize("nonsense", [null_choices, html_page, broken_json])
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
async def test_what_is_no_completion_is_asked_for_once_more(
    server: OpenAISimulator, open_chat: OpenChat, nonsense: Behaviour, method: str
) -> None:
    chat = open_chat(structure=method)
    server.script(nonsense, good)
    await chat.ask(PROMPT, Note)
    assert len(server.chats) == 2
    assert chat.stats.repairs == 1


@pytest.mark.filterwarnings("ignore:Invalid schema for OpenAI")
async def test_an_endpoint_that_calls_the_schema_invalid_is_asked_by_function_calling(
    server: OpenAISimulator, chat: OpenAIChatModel
) -> None:
    server.default = by_method(json_schema=status(400, message="Invalid schema for response_format 'Note'"))
    await chat.ask(PROMPT, Note)
    assert [call.method for call in server.chats] == ["json_schema", "function_calling"]


@pytest.mark.parametrize(
    "failing", [status(500, message=SECRET), status(400, message=SECRET), invalid_json, never, refusal, dropped]
)
async def test_no_log_and_no_error_holds_the_prompt_or_the_key(
    server: OpenAISimulator, open_chat: OpenChat, caplog: pytest.LogCaptureFixture, failing: Behaviour
) -> None:
    caplog.set_level(logging.DEBUG)
    server.default = failing
    with capture_logs() as lines:
        error = await failure(open_chat(timeout_seconds=DEADLINE, api_key="sk-very-secret"))
    logged = f"{caplog.text} {lines} {error!r}"
    assert lines
    assert SECRET not in logged
    assert "sk-very-secret" not in logged
