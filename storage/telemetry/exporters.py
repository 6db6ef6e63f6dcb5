"""Factory: tracing with the exporter that OpenTelemetry's standard environment variables ask for."""

import os
from collections.abc import Mapping
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

from storage.telemetry.otlp_settings import TraceExporter, trace_exporter
from storage.telemetry.tracing import RootIdGenerator, Tracing


def open_tracing(environ: Mapping[str, str] | None = None) -> Tracing:
    """Tracing as OpenTelemetry's environment variables say; off without them.

    Raises SettingsError for an exporter that there is not. No network yet.
    """
    chosen = trace_exporter(os.environ if environ is None else environ)
    return Tracing() if chosen is None else Tracing(_provider(_exporter(chosen)))


def _exporter(chosen: TraceExporter) -> SpanExporter:
    match chosen:
        case TraceExporter.CONSOLE:
            return ConsoleSpanExporter()
        case TraceExporter.GRPC:
            return OTLPSpanExporter()
        case TraceExporter.HTTP:
            # The one over gRPC is loaded with Chroma anyway; this one, with `requests`, only when it is asked for.
            from opentelemetry.exporter.otlp.proto.http import trace_exporter as over_http  # noqa: PLC0415 - see above

            return over_http.OTLPSpanExporter()


def _provider(exporter: SpanExporter) -> TracerProvider:
    resource = Resource({SERVICE_NAME: "deskhand", SERVICE_VERSION: version("deskhand")}).merge(_from_environment())
    # Closed by the composition root, not when the interpreter goes.
    provider = TracerProvider(resource=resource, id_generator=RootIdGenerator(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _from_environment() -> Resource:
    """OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, and what the SDK says of itself."""
    found = dict(Resource.create().attributes)
    if str(found[SERVICE_NAME]).startswith("unknown_service"):
        del found[SERVICE_NAME]
    return Resource(found)
