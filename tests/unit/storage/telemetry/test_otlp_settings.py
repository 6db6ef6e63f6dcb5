"""OpenTelemetry's standard variables decide whether there are traces, and where they go."""

import pytest

from storage.errors import SettingsError
from storage.telemetry.otlp_settings import TraceExporter, trace_exporter, trace_target

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"


@pytest.mark.parametrize(
    ("environ", "exporter"),
    [
        ({}, None),
        ({ENDPOINT: ""}, None),
        ({ENDPOINT: "http://collector:4317"}, TraceExporter.GRPC),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4317"}, TraceExporter.GRPC),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, TraceExporter.GRPC),
        ({"OTEL_TRACES_EXPORTER": "otlp", PROTOCOL: "http/protobuf"}, TraceExporter.HTTP),
        ({"OTEL_TRACES_EXPORTER": "console"}, TraceExporter.CONSOLE),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: "http://collector:4317"}, None),
        ({"OTEL_SDK_DISABLED": "true", ENDPOINT: "http://collector:4317"}, None),
    ],
)
def test_the_standard_variables_choose_the_exporter(environ: dict[str, str], exporter: TraceExporter | None) -> None:
    assert trace_exporter(environ) is exporter


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER"),
        ({ENDPOINT: "http://collector:4318", PROTOCOL: "http/json"}, PROTOCOL),
    ],
)
def test_an_exporter_that_there_is_not_is_refused_by_the_variable_s_name(environ: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        trace_exporter(environ)


def test_a_protocol_whose_package_is_missing_is_refused_with_the_extra_s_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.telemetry.otlp_settings.OVER_HTTP", "opentelemetry.exporter.otlp.proto.no_such")
    with pytest.raises(SettingsError, match="extra `otlp`"):
        trace_exporter({ENDPOINT: "http://collector:4318", PROTOCOL: "http/protobuf"})
    assert trace_exporter({ENDPOINT: "http://collector:4317"}) is TraceExporter.GRPC


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://collector:4317", "http://collector:4317 by OTLP (grpc)"),
        ("https://user:key@collector/v1?key=secret", "https://collector/v1 by OTLP (grpc)"),
        ("", "http://localhost:4317 by OTLP (grpc)"),
    ],
)
def test_where_spans_go_is_told_without_a_login(endpoint: str, said: str) -> None:
    assert trace_target(TraceExporter.GRPC, {ENDPOINT: endpoint}) == said
