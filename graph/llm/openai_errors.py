"""Error translation: what the openai client raises, as this project's ModelErrors.

Source: https://platform.openai.com/docs/guides/error-codes
"""

from email.utils import parsedate_to_datetime

import openai
from langchain_core.exceptions import ContextOverflowError

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
from storage import clock

REFUSED_BY_POLICY = ("content_filter", "content_policy_violation")
SERVER_ERROR = 500


def model_error_of(error: openai.OpenAIError, timeout_seconds: float) -> ModelError:
    """The error without the server's words, which may repeat the prompt."""
    match error:
        case openai.ContentFilterFinishReasonError():
            return ModelRefusedError()
        case ContextOverflowError():
            return ModelPromptTooLongError()
        case openai.APITimeoutError():
            return ModelTimeoutError(timeout_seconds)
        case openai.APIStatusError():
            return _error_of_status(error)
        case _:
            return ModelUnavailableError()


def _error_of_status(error: openai.APIStatusError) -> ModelError:
    status, retry_after = error.status_code, retry_after_seconds(error.response.headers.get("retry-after", ""))
    match status:
        case 401 | 403:
            return ModelRejectedKeyError()
        case 429:
            # A used-up quota answers 429 too, and waiting does not help.
            retryable = error.code != "insufficient_quota"
            return ModelRateLimitedError(http_status=status, retry_after=retry_after, retryable=retryable)
        case 408 | 409:
            return ModelUnavailableError(f"The chat model answered with error {status}.", http_status=status)
        case _ if status >= SERVER_ERROR:
            detail = f"The chat model answered with error {status}."
            return ModelUnavailableError(detail, http_status=status, retry_after=retry_after)
        case _ if error.code in REFUSED_BY_POLICY:
            return ModelRefusedError()
        case _:
            return ModelRejectedRequestError()


def retry_after_seconds(header: str) -> float | None:
    """Seconds that a `Retry-After` header asks to wait; it says so in seconds or as a date."""
    try:
        seconds = float(header)
    except ValueError:
        pass
    else:
        return seconds if seconds >= 0 else None
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - clock.timestamp())
    except ValueError:
        return None
