"""Structured output from any OpenAI-compatible endpoint: the method is negotiated once, answers are repaired once.

Servers differ in how they can be asked for structure, and some answer nonsense to a method that they do not know. So
the first question is put by each method, best first, until an answer has the right shape; that method is remembered.
"""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import structlog
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, ConfigDict, ValidationError

from graph.errors import (
    ModelError,
    ModelInvalidError,
    ModelPromptTooLongError,
    ModelRejectedRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from graph.llm.metrics import ModelMetrics, ModelStats
from graph.llm.openai_client import Completion, OpenAIClient
from graph.llm.prompts.templates import Prompt
from graph.llm.retry import DeadlineRetry
from graph.llm.structured_output import (
    MAX_ECHO_LENGTH,
    StructuredOutputMethod,
    has_required_keys,
    repair_request,
    schema_instructions,
)
from storage.settings import ModelSettings
from storage.telemetry.tracing import span

T = TypeVar("T", bound=BaseModel)
logger = structlog.get_logger(__name__)

CUT_OFF = "Your answer was cut off before its end. Answer again, much shorter."


@dataclass(frozen=True, slots=True)
class _Question(Generic[T]):
    """One question on its way."""

    prompt: Prompt
    schema: type[T]
    retry: DeadlineRetry

    def messages(self, method: StructuredOutputMethod) -> list[BaseMessage]:
        system = self.prompt.system + schema_instructions(method, self.schema)
        return [SystemMessage(system), HumanMessage(self.prompt.user)]

    def repair_messages(
        self, method: StructuredOutputMethod, completion: Completion, problem: str
    ) -> list[BaseMessage]:
        echo = [AIMessage(completion.text[:MAX_ECHO_LENGTH])] if completion.text else []
        return [*self.messages(method), *echo, HumanMessage(CUT_OFF if completion.cut_off else problem)]


class Ready(BaseModel):
    """The answer to a check."""

    model_config = ConfigDict(extra="forbid")
    ready: bool


class OpenAIChatModel:
    """A ChatModel: one endpoint and model."""

    def __init__(self, settings: ModelSettings, metrics: ModelMetrics | None = None) -> None:
        self.name = settings.name
        self._settings = settings
        self._metrics = metrics or ModelMetrics()
        self._client = OpenAIClient(settings, self._metrics)
        self._method = None if settings.structure == "auto" else StructuredOutputMethod(settings.structure)
        self._negotiating = asyncio.Lock()

    @property
    def stats(self) -> ModelStats:
        """The counters since the start."""
        return self._metrics.stats

    @property
    def method(self) -> StructuredOutputMethod | None:
        """How the endpoint is asked for structure; None before the first answer."""
        return self._method

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(self, prompt: Prompt, schema: type[T]) -> T:
        """The model's answer as a valid `schema`, repaired at most once, within `model.timeout_seconds`.

        Every field of `schema` is required and its configuration forbids extra keys. Raises a ModelError whose
        `detail` is a sentence for the agent.
        """
        self._metrics.count_ask()
        started = time.monotonic()
        try:
            with span("ask", prompt=prompt.name, model=self.name):
                return await self._within_deadline(prompt, schema)
        except ModelError as error:
            self._metrics.count_error(error.kind)
            logger.warning("chat model failed", prompt=prompt.name, kind=error.kind, detail=error.detail)
            raise
        finally:
            self._metrics.observe_seconds(time.monotonic() - started)

    async def check(self) -> None:
        """Ask something trivial, to see whether the endpoint answers. Raises a ModelError that says why not."""
        await self.ask(Prompt(name="check", system="Set ready to true.", user="Ready?", version="1"), Ready)

    async def _within_deadline(self, prompt: Prompt, schema: type[T]) -> T:
        seconds = self._settings.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                retry = DeadlineRetry.within(seconds, self._settings.retries)
                return await self._answer(_Question(prompt, schema, retry))
        except TimeoutError:
            raise ModelTimeoutError(seconds) from None

    async def _answer(self, question: _Question[T]) -> T:
        if self._method is None:
            async with self._negotiating:
                # Whoever waited here finds the method already known.
                if self._method is None:
                    return await self._negotiate(question)
        method = self._method
        completion = await self._request(question, method, question.messages(method))
        return await self._validated(question, method, completion)

    async def _negotiate(self, question: _Question[T]) -> T:
        """Put the question by each method until one gives an answer of the right shape, and remember that one."""
        misshaped: tuple[StructuredOutputMethod, Completion] | None = None
        failure = ModelError()
        for method in StructuredOutputMethod:
            completion = await self._probe(question, method)
            if isinstance(completion, ModelError):
                failure = completion
            elif completion.cut_off or has_required_keys(completion.text, question.schema):
                self._method = method
                logger.info("structured output method found", model=self.name, method=method.value)
                return await self._validated(question, method, completion)
            else:
                misshaped = misshaped or (method, completion)
        if misshaped is None:
            raise failure
        return await self._validated(question, *misshaped)

    async def _probe(self, question: _Question[T], method: StructuredOutputMethod) -> Completion | ModelError:
        """The completion, or the error that may mean that the endpoint does not know the method; other errors raise."""
        probe = replace(question, retry=replace(question.retry, probing=True))
        try:
            return await self._request(probe, method, question.messages(method))
        except ModelPromptTooLongError:
            raise
        except ModelRejectedRequestError as error:
            return error
        except ModelUnavailableError as error:
            if error.may_mean_unsupported:
                return error
            raise

    async def _validated(self, question: _Question[T], method: StructuredOutputMethod, completion: Completion) -> T:
        """The completion as a record, asked for once more if it is not one."""
        try:
            return question.schema.model_validate_json(completion.text)
        except ValidationError as error:
            problem = repair_request(error)
        self._metrics.count_repair()
        logger.info("chat model answer repaired", prompt=question.prompt.name, method=method.value)
        repaired = await self._request(question, method, question.repair_messages(method, completion, problem))
        try:
            return question.schema.model_validate_json(repaired.text)
        except ValidationError:
            self._metrics.count_rejection()
            # The validation error holds the answer's text, which no log may see.
            raise ModelInvalidError from None

    async def _request(
        self, question: _Question[T], method: StructuredOutputMethod, messages: Sequence[BaseMessage]
    ) -> Completion:
        attempts = itertools.count()

        async def send() -> Completion:
            if next(attempts):
                self._metrics.count_retry()
            with span("chat completion", model=self.name, method=method.value):
                return await self._client.complete(messages, question.schema, method)

        return await question.retry.run(send)
