"""Metrics of the chat model: counters as a record and for Prometheus."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from langchain_core.messages.ai import UsageMetadata
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client import Counter as Metric

from storage.telemetry.tracing import annotate_span


@dataclass(frozen=True, slots=True)
class ModelStats:
    """The counters since the start of this process."""

    asks: int
    """Questions put to the model by the nodes."""
    requests: int
    """HTTP requests, with retries, probes and repairs."""
    retries: int
    """Requests that were sent again after a rate limit, a server error or a dropped connection."""
    repairs: int
    """Unusable answers that were asked for again."""
    rejections: int
    """Answers given up after the repair."""
    errors: Mapping[str, int]
    """Failed asks by the error's kind."""
    input_tokens: int
    output_tokens: int


class ModelMetrics:
    """Counts for one process; `registry` is the one that `/metrics` shows (default: a private one)."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self._counts: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._seconds = Histogram("deskhand_model_seconds", "Time per ask of the chat model.", registry=registry)
        self._metrics = {
            name: Metric(f"deskhand_model_{name}", text, registry=registry)
            for name, text in (
                ("asks", "Questions put to the chat model."),
                ("requests", "HTTP requests to the chat model, with retries, probes and repairs."),
                ("retries", "HTTP requests to the chat model that were sent again after a failure."),
                ("repairs", "Unusable answers of the chat model that were asked for again."),
                ("rejections", "Answers of the chat model given up after the repair."),
                ("input_tokens", "Tokens sent to the chat model."),
                ("output_tokens", "Tokens written by the chat model."),
            )
        }
        self._error_metric = Metric(
            "deskhand_model_errors", "Failed asks of the chat model.", ["kind"], registry=registry
        )

    def count_ask(self) -> None:
        """A node asks."""
        self._count("asks")

    def count_request(self) -> None:
        """An HTTP request goes out."""
        self._count("requests")

    def count_retry(self) -> None:
        """The request failed and is sent again."""
        self._count("retries")

    def count_repair(self) -> None:
        """An unusable answer is asked for again."""
        self._count("repairs")

    def count_rejection(self) -> None:
        """The repair was unusable too."""
        self._count("rejections")

    def count_error(self, kind: str) -> None:
        """An ask ended in an error of this kind."""
        self._errors[kind] += 1
        self._error_metric.labels(kind).inc()

    def count_tokens(self, usage: UsageMetadata | None) -> None:
        """Tokens as the endpoint reports them; some report none."""
        if usage:
            self._count("input_tokens", usage["input_tokens"])
            self._count("output_tokens", usage["output_tokens"])
            annotate_span(input_tokens=usage["input_tokens"], output_tokens=usage["output_tokens"])

    def observe_seconds(self, seconds: float) -> None:
        """An ask ended, well or not, after this time."""
        self._seconds.observe(seconds)

    @property
    def stats(self) -> ModelStats:
        """The counters now."""
        counts = {name: self._counts[name] for name in self._metrics}
        return ModelStats(errors=dict(self._errors), **counts)

    def _count(self, name: str, amount: int = 1) -> None:
        self._counts[name] += amount
        self._metrics[name].inc(amount)
