"""Error catalogue of the chat model; `detail` is a plain sentence for the agent who gets the turn.

No error carries the prompt, the customer's text or the server's words: those may repeat the prompt.
"""

from storage.errors import DeskhandError

UNSUPPORTED_FEATURE_STATUSES = (500, 501)
"""Statuses by which endpoints answer to a parameter that they do not know, besides 400 and its like."""


class ModelError(DeskhandError):
    """The chat model gave no usable answer."""

    kind = "model"
    status = 502


class ModelUnavailableError(ModelError):
    """The chat model cannot be reached."""

    kind = "model-unavailable"
    status = 503

    def __init__(
        self,
        detail: str = "",
        *,
        http_status: int | None = None,
        retry_after: float | None = None,
        retryable: bool = True,
    ) -> None:
        super().__init__(detail)
        self.http_status = http_status
        """The HTTP status of the endpoint's answer, when there was one."""
        self.retry_after = retry_after
        """Seconds that the endpoint asks to wait."""
        self.retryable = retryable
        """Whether the same request may succeed a little later."""

    @property
    def may_mean_unsupported(self) -> bool:
        """Whether the endpoint may not know a feature that the request used."""
        return self.http_status in UNSUPPORTED_FEATURE_STATUSES


class ModelTimeoutError(ModelUnavailableError):
    """The chat model did not answer in time."""

    kind = "model-timeout"
    status = 504

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"The chat model did not answer within {seconds:g} s.")


class ModelRateLimitedError(ModelUnavailableError):
    """The chat model's endpoint is over its rate limit or quota."""

    kind = "model-rate-limited"


class ModelRefusedError(ModelError):
    """The chat model refused to answer this."""

    kind = "model-refused"


class ModelInvalidError(ModelError):
    """The chat model answered in a form that cannot be used, twice."""

    kind = "model-invalid"


class ModelRejectedKeyError(ModelError):
    """The chat model's endpoint rejected the API key; an admin should check OPENAI_API_KEY."""

    kind = "model-rejected-key"


class ModelRejectedRequestError(ModelError):
    """The chat model's endpoint rejected the request; an admin should check `model.name` and `model.base_url`."""

    kind = "model-rejected-request"


class ModelPromptTooLongError(ModelRejectedRequestError):
    """The conversation and the passages are too long for the chat model."""

    kind = "model-prompt-too-long"
