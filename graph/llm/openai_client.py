"""Adapter: one chat completion of an OpenAI-compatible endpoint through langchain-openai."""

from collections.abc import Sequence
from dataclasses import dataclass

import openai
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_openai import ChatOpenAI
from openai.types import CompletionUsage
from pydantic import BaseModel, SecretStr

from graph.errors import ModelRefusedError
from graph.llm.metrics import ModelMetrics
from graph.llm.openai_errors import model_error_of
from graph.llm.structured_output import StructuredOutputMethod, answer_text, request_parameters
from storage.settings import ModelSettings

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""Local servers want no key, the client wants one."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What the endpoint answered."""

    text: str
    """The answer's JSON, or whatever else came; empty when the endpoint talked nonsense."""
    cut_off: bool = False


class OpenAIClient:
    """Sends single requests; `DeadlineRetry` sends them again."""

    def __init__(self, settings: ModelSettings, metrics: ModelMetrics) -> None:
        self._timeout_seconds = settings.timeout_seconds
        self._metrics = metrics
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

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def complete(
        self, messages: Sequence[BaseMessage], schema: type[BaseModel], method: StructuredOutputMethod
    ) -> Completion:
        """One request. Raises a ModelError."""
        self._metrics.count_request()
        try:
            message = await self._client.ainvoke(list(messages), **request_parameters(method, schema))
        except openai.LengthFinishReasonError as error:
            self._metrics.count_tokens(_usage_of(error.completion.usage))
            return Completion("", cut_off=True)
        except openai.OpenAIError as error:
            # The server's words may repeat the prompt, so they end here.
            raise model_error_of(error, self._timeout_seconds) from None
        except (ValueError, TypeError, LookupError, AttributeError):
            # langchain-openai stumbles in these ways over answers that are no chat completion.
            return Completion("")
        self._metrics.count_tokens(message.usage_metadata)
        return _completion_of(message)


def _completion_of(message: AIMessage) -> Completion:
    finish = message.response_metadata.get("finish_reason")
    if message.additional_kwargs.get("refusal") or finish == "content_filter":
        raise ModelRefusedError
    return Completion(answer_text(message), cut_off=finish == "length")


def _usage_of(usage: CompletionUsage | None) -> UsageMetadata | None:
    if usage is None:
        return None
    sent, written = usage.prompt_tokens, usage.completion_tokens
    return UsageMetadata(input_tokens=sent, output_tokens=written, total_tokens=sent + written)
