"""What is counted is the same as a record and for Prometheus."""

from langchain_core.messages.ai import UsageMetadata
from prometheus_client import CollectorRegistry

from graph.llm.metrics import ModelMetrics, ModelStats


def test_every_event_has_a_counter_of_its_own() -> None:
    registry = CollectorRegistry()
    metrics = ModelMetrics(registry)
    events = (
        metrics.count_ask,
        metrics.count_request,
        metrics.count_retry,
        metrics.count_repair,
        metrics.count_rejection,
    )
    for times, count in enumerate(events, 1):
        for _ in range(times):
            count()
    metrics.count_error("model-invalid")
    metrics.count_tokens(UsageMetadata(input_tokens=7, output_tokens=3, total_tokens=10))
    metrics.count_tokens(None)
    assert metrics.stats == ModelStats(1, 2, 3, 4, 5, {"model-invalid": 1}, input_tokens=7, output_tokens=3)
    for name, value in (("asks", 1), ("requests", 2), ("retries", 3), ("repairs", 4), ("rejections", 5)):
        assert registry.get_sample_value(f"deskhand_model_{name}_total") == value
    assert registry.get_sample_value("deskhand_model_errors_total", {"kind": "model-invalid"}) == 1


def test_the_time_of_an_ask_is_measured() -> None:
    registry = CollectorRegistry()
    ModelMetrics(registry).observe_seconds(0.5)
    assert registry.get_sample_value("deskhand_model_seconds_sum") == 0.5
    assert registry.get_sample_value("deskhand_model_seconds_count") == 1
