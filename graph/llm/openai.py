"""The chat model: any OpenAI-compatible endpoint through langchain-openai, asked for validated records."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

import openai
import structlog
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_openai import ChatOpenAI
from openai.types import CompletionUsage
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from graph.errors import (
    ModelError,
    ModelInvalidError,
    ModelPromptTooLongError,
    ModelRateLimitedError,
    ModelRefusedError,
    ModelRejectedKeyError,
    ModelRejectedRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from graph.llm.metrics import ModelMetrics, ModelStats
from graph.llm.prompts.templates import Prompt
from graph.llm.retry import Patience
from graph.llm.structured_output import (
    LONGEST_ECHO,
    StructuredOutputMethod,
    answer_text,
    complaint,
    instructions,
    is_shaped,
    parameters,
)
from storage import clock
from storage.settings import ModelSettings, Settings
from storage.telemetry.tracing import span

T = TypeVar("T", bound=BaseModel)
logger = structlog.get_logger(__name__)

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""Local servers want no key, the client wants one."""
CUT_OFF = "Your answer was cut off before its end. Answer again, much shorter."
REFUSED_BY_POLICY = ("content_filter", "content_policy_violation")
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Reply:
    """What the endpoint answered."""

    text: str
    """The answer's JSON, or whatever else came; empty when the endpoint talked nonsense."""
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class _Ask(Generic[T]):
    """One question on its way."""

    prompt: Prompt
    schema: type[T]
    patience: Patience

    def messages(self, way: StructuredOutputMethod) -> list[BaseMessage]:
        system = self.prompt.system + instructions(way, self.schema)
        return [SystemMessage(system), HumanMessage(self.prompt.user)]

    def repair(self, way: StructuredOutputMethod, reply: Reply, problem: str) -> list[BaseMessage]:
        said = [AIMessage(reply.text[:LONGEST_ECHO])] if reply.text else []
        return [*self.messages(way), *said, HumanMessage(CUT_OFF if reply.cut_off else problem)]


class Ready(BaseModel):
    """The answer to a check."""

    model_config = ConfigDict(extra="forbid")
    ready: bool


class ChatModel:
    """One endpoint and model; how it must be asked for structure is found with the first question and remembered."""

    def __init__(self, settings: ModelSettings, meter: ModelMetrics) -> None:
        self.name = settings.name
        self._settings = settings
        self._meter = meter
        self._way = None if settings.structure == "auto" else StructuredOutputMethod(settings.structure)
        self._finding = asyncio.Lock()
        # langchain-openai's own client is shared by every event loop of the process and never closed.
        self._http = openai.DefaultAsyncHttpxClient(timeout=settings.timeout_seconds)
        self._client = ChatOpenAI(
            model=settings.name,
            base_url=settings.base_url or OPENAI_URL,
            api_key=SecretStr(settings.api_key.get_secret_value() or NO_KEY),
            timeout=settings.timeout_seconds,
            max_retries=0,  # graph.llm.retry says why.
            use_responses_api=False,
            disable_streaming=True,
            http_async_client=self._http,
        )

    @property
    def stats(self) -> ModelStats:
        """The counters since the start."""
        return self._meter.stats

    @property
    def way(self) -> StructuredOutputMethod | None:
        """How the endpoint is asked for structure; None before the first answer."""
        return self._way

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(self, prompt: Prompt, schema: type[T]) -> T:
        """The model's answer as a valid `schema`, repaired at most once, within `model.timeout_seconds`.

        Every field of `schema` is required and its configuration forbids extra keys. Raises a ModelError whose
        `detail` is a sentence for the agent.
        """
        self._meter.asked()
        started = time.monotonic()
        try:
            with span("ask", prompt=prompt.name, model=self.name):
                return await self._within_deadline(prompt, schema)
        except ModelError as error:
            self._meter.failed(error.kind)
            logger.warning("chat model failed", prompt=prompt.name, kind=error.kind, detail=error.detail)
            raise
        finally:
            self._meter.took(time.monotonic() - started)

    async def check(self) -> None:
        """Ask something trivial, to see whether the endpoint answers. Raises a ModelError that says why not."""
        await self.ask(Prompt(name="check", system="Set ready to true.", user="Ready?", version="1"), Ready)

    async def _within_deadline(self, prompt: Prompt, schema: type[T]) -> T:
        seconds = self._settings.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                ask = _Ask(prompt, schema, Patience.of(self._settings.retries, seconds))
                return await self._answer(ask)
        except TimeoutError:
            raise ModelTimeoutError(seconds) from None

    async def _answer(self, ask: _Ask[T]) -> T:
        if self._way is None:
            async with self._finding:
                # Whoever waited here finds the way already known.
                if self._way is None:
                    return await self._find_way(ask)
        return await self._usable(ask, self._way, await self._request(ask, self._way, ask.messages(self._way)))

    async def _find_way(self, ask: _Ask[T]) -> T:
        """Put the question in each way until one gives an answer of the right shape, and remember that one."""
        misshaped: tuple[StructuredOutputMethod, Reply] | None = None
        failure = ModelError()
        for way in StructuredOutputMethod:
            reply = await self._try(ask, way)
            if isinstance(reply, ModelError):
                failure = reply
            elif reply.cut_off or is_shaped(reply.text, ask.schema):
                self._way = way
                logger.info("chat model: way of asking found", model=self.name, way=way.value)
                return await self._usable(ask, way, reply)
            else:
                misshaped = misshaped or (way, reply)
        if misshaped is None:
            raise failure
        return await self._usable(ask, *misshaped)

    async def _try(self, ask: _Ask[T], way: StructuredOutputMethod) -> Reply | ModelError:
        """The reply this way, or the error that may mean that the endpoint does not know it; other errors raise."""
        probe = replace(ask, patience=replace(ask.patience, probing=True))
        try:
            return await self._request(probe, way, ask.messages(way))
        except ModelPromptTooLongError:
            raise
        except ModelRejectedRequestError as error:
            return error
        except ModelUnavailableError as error:
            if error.may_mean_unknown:
                return error
            raise

    async def _usable(self, ask: _Ask[T], way: StructuredOutputMethod, reply: Reply) -> T:
        """The reply as a record, asked for once more if it is not one."""
        try:
            return ask.schema.model_validate_json(reply.text)
        except ValidationError as error:
            problem = complaint(error)
        self._meter.repaired()
        logger.info("chat model: answer repaired", prompt=ask.prompt.name, way=way.value)
        repaired = await self._request(ask, way, ask.repair(way, reply, problem))
        try:
            return ask.schema.model_validate_json(repaired.text)
        except ValidationError:
            self._meter.rejected()
            # The validation error holds the answer's text, which no log may see.
            raise ModelInvalidError from None

    async def _request(self, ask: _Ask[T], way: StructuredOutputMethod, messages: Sequence[BaseMessage]) -> Reply:
        tries = itertools.count()

        async def send() -> Reply:
            if next(tries):
                self._meter.retried()
            with span("chat completion", model=self.name, way=way.value):
                return await self._send(ask.schema, way, messages)

        return await ask.patience.run(send)

    async def _send(
        self, schema: type[BaseModel], way: StructuredOutputMethod, messages: Sequence[BaseMessage]
    ) -> Reply:
        self._meter.requested()
        try:
            message = await self._client.ainvoke(list(messages), **parameters(way, schema))
        except openai.LengthFinishReasonError as error:
            self._meter.count_tokens(_usage(error.completion.usage))
            return Reply("", cut_off=True)
        except openai.OpenAIError as error:
            # The server's words may repeat the prompt, so they end here.
            raise _translated(error, self._settings.timeout_seconds) from None
        except (ValueError, TypeError, LookupError, AttributeError):
            # langchain-openai stumbles in these ways over answers that are no chat completion.
            return Reply("")
        self._meter.count_tokens(message.usage_metadata)
        return _reply(message)


def _reply(message: AIMessage) -> Reply:
    finish = message.response_metadata.get("finish_reason")
    if message.additional_kwargs.get("refusal") or finish == "content_filter":
        raise ModelRefusedError
    return Reply(answer_text(message), cut_off=finish == "length")


def _usage(usage: CompletionUsage | None) -> UsageMetadata | None:
    if usage is None:
        return None
    sent, written = usage.prompt_tokens, usage.completion_tokens
    return UsageMetadata(input_tokens=sent, output_tokens=written, total_tokens=sent + written)


def _translated(error: openai.OpenAIError, seconds: float) -> ModelError:
    match error:
        case openai.ContentFilterFinishReasonError():
            return ModelRefusedError()
        case ContextOverflowError():
            return ModelPromptTooLongError()
        case openai.APITimeoutError():
            return ModelTimeoutError(seconds)
        case openai.APIStatusError():
            return _translated_status(error)
        case _:
            return ModelUnavailableError()


def _translated_status(error: openai.APIStatusError) -> ModelError:
    """The error as https://platform.openai.com/docs/guides/error-codes explains its status."""
    status, wait = error.status_code, _retry_after(error)
    match status:
        case 401 | 403:
            return ModelRejectedKeyError()
        case 429:
            # A used-up quota answers 429 too, and waiting does not help.
            retryable = error.code != "insufficient_quota"
            return ModelRateLimitedError(status=status, retry_after=wait, retryable=retryable)
        case 408 | 409:
            return ModelUnavailableError(f"The chat model answered with error {status}.", status=status)
        case _ if status >= SERVER_ERROR:
            detail = f"The chat model answered with error {status}."
            return ModelUnavailableError(detail, status=status, retry_after=wait)
        case _ if error.code in REFUSED_BY_POLICY:
            return ModelRefusedError()
        case _:
            return ModelRejectedRequestError()


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds that the endpoint asks to wait; it says so in seconds or as a date."""
    text = error.response.headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return seconds if seconds >= 0 else None
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - clock.timestamp())
    except ValueError:
        return None


def open_model(settings: Settings, meter: ModelMetrics | None = None) -> ChatModel | None:
    """The chat model of the settings, or None for the embedded default; no network yet."""
    if settings.model.provider == "none":
        return None
    return ChatModel(settings.model, meter or ModelMetrics())
