"""OTLP settings: which exporter OpenTelemetry's standard environment variables ask for."""

from collections.abc import Mapping
from enum import StrEnum
from importlib.util import find_spec
from urllib.parse import urlsplit

from storage.errors import SettingsError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
OVER_HTTP = "opentelemetry.exporter.otlp.proto.http"
"""Only in the extra `otlp`."""
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class TraceExporter(StrEnum):
    """Where spans go."""

    GRPC = "grpc"
    """A collector, by OTLP over gRPC."""
    HTTP = "http/protobuf"
    """A collector, by OTLP over HTTP."""
    CONSOLE = "console"
    """Standard output, to look at."""


DEFAULT_ENDPOINTS: Mapping[str, str] = {
    TraceExporter.GRPC: "http://localhost:4317",
    TraceExporter.HTTP: "http://localhost:4318",
}


def trace_exporter(environ: Mapping[str, str]) -> TraceExporter | None:
    """The exporter that is asked for; None: no traces. Raises SettingsError for one that there is not.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    named = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    match named or ("otlp" if _first_of(ENDPOINTS, environ) else "none"):
        case "none":
            return None
        case "console":
            return TraceExporter.CONSOLE
        case "otlp":
            return _otlp(environ)
        case other:
            raise SettingsError(f"OTEL_TRACES_EXPORTER: {other!r} is not known here; use otlp, console or none")


def trace_target(exporter: TraceExporter | None, environ: Mapping[str, str]) -> str:
    """Where the spans go, in words."""
    match exporter:
        case None:
            return "nowhere"
        case TraceExporter.CONSOLE:
            return "standard output"
        case TraceExporter.GRPC | TraceExporter.HTTP:
            standard = DEFAULT_ENDPOINTS[exporter]
            return f"{_without_login(_first_of(ENDPOINTS, environ) or standard)} by OTLP ({exporter})"


def trace_address(exporter: TraceExporter, environ: Mapping[str, str]) -> tuple[str, int]:
    """Host and port of the collector."""
    given = _first_of(ENDPOINTS, environ) or DEFAULT_ENDPOINTS[exporter]
    # gRPC's endpoints may come without a scheme.
    parts = urlsplit(given if "//" in given else f"//{given}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.hostname or "localhost", port


def _without_login(url: str) -> str:
    """An address may carry a key."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _otlp(environ: Mapping[str, str]) -> TraceExporter:
    protocol = _first_of(PROTOCOLS, environ) or TraceExporter.GRPC
    if protocol not in DEFAULT_ENDPOINTS:
        raise SettingsError(f"OTEL_EXPORTER_OTLP_PROTOCOL: {protocol!r} is not known here; use grpc or http/protobuf")
    if protocol == TraceExporter.HTTP and find_spec(OVER_HTTP) is None:
        raise SettingsError(
            "OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf needs a package that is not installed: "
            "install Deskhand with its extra `otlp`, or use grpc"
        )
    return TraceExporter(protocol)


def _first_of(names: tuple[str, ...], environ: Mapping[str, str]) -> str:
    return next((found for name in names if (found := environ.get(name, "").strip())), "")
