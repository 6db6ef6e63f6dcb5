"""A simulated OpenTelemetry collector on loopback ports: OTLP over gRPC and over HTTP, which keeps what it is sent.

Protocol: https://opentelemetry.io/docs/specs/otlp/
"""

import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc  # type: ignore[import-untyped]  # it has no types
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

Request = trace_service_pb2.ExportTraceServiceRequest
Response = trace_service_pb2.ExportTraceServiceResponse


@dataclass(frozen=True)
class Kept:
    """One span as it was received."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    """Empty: the first span of its trace."""
    begun: int
    """Nanoseconds since 1970."""
    ended: int
    failed: bool
    attributes: dict[str, str | int | float | bool]
    resource: dict[str, str | int | float | bool]


@dataclass
class Collector:
    """What has arrived."""

    requests: list[Any] = field(default_factory=list)
    grpc_url: str = ""
    http_url: str = ""

    @property
    def spans(self) -> list[Kept]:
        """Every span, in order of arrival."""
        return [
            _kept(span, _values(resource.resource.attributes))
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def raw(self) -> bytes:
        """Everything that was sent, to look for what must not be there."""
        return b"".join(request.SerializeToString() for request in self.requests)


class _Service(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - gRPC's name and signature
        self._collector.requests.append(request)
        return Response()


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens while the block lasts."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Service(collector), server)  # type: ignore[no-untyped-call]
    collector.grpc_url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    web = ThreadingHTTPServer(("127.0.0.1", 0), _handler(collector))
    collector.http_url = f"http://127.0.0.1:{web.server_port}"
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    server.start()
    thread.start()
    try:
        yield collector
    finally:
        web.shutdown()
        web.server_close()
        thread.join()
        server.stop(None).wait()


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            known = self.path == "/v1/traces"
            if known:
                collector.requests.append(Request.FromString(body))
            answer = Response().SerializeToString()
            self.send_response(200 if known else 404)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _kept(span: Any, resource: dict[str, Any]) -> Kept:
    return Kept(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        begun=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        attributes=_values(span.attributes),
        resource=resource,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in attributes}
